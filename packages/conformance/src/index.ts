export { defineBackend, defineCache, defineSessionStore } from './subject.ts'
export type {
  AnySubject,
  BackendSubject,
  CacheSubject,
  Fault,
  FaultName,
  Kind,
  SessionStoreSubject,
} from './subject.ts'
export type { ConformantCache, EntryPolicy } from './conformant-cache.ts'
export type { SessionStore, StoredSession } from './session-store.ts'

export { runConformance } from './run.ts'
export type { Report, RunOptions } from './run.ts'
export type { HoldfastFactory } from './ground.ts'
export { formatReport, isConformant, verdicts } from './report.ts'
export type { Verdict } from './report.ts'
export type { Check } from './voyage.ts'
export type { State } from './case.ts'

export { conformance } from './binding.ts'
export type { Bound, Runner } from './binding.ts'
export { promises } from './promises.ts'
export type { PromiseOf } from './promises.ts'

export { prefixed } from './wrap/prefixed.ts'
export { enveloped } from './wrap/enveloped.ts'
