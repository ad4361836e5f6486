import type * as deadlinesModule from '../../src/availability/deadlines.ts'
import type * as knowledgeModule from '../../src/degradation/knowledge.ts'
import type * as rulesModule from '../../src/degradation/rules.ts'
import type * as settleModule from '../../src/degradation/settle.ts'
import type * as endingsModule from '../../src/session/endings.ts'
import type * as marksModule from '../../src/session/marks.ts'
import type * as mergeModule from '../../src/session/merge.ts'
import type * as sessionsModule from '../../src/session/sessions.ts'
import type * as tokenModule from '../../src/session/token.ts'
import { is } from './active-mutant.ts'

/** Modules of the engine in which one function breaks its promise while its mutant is active. */
export const mutated = {
  merge: (module: typeof mergeModule): Partial<typeof mergeModule> => ({
    ...module,
    mergeSessions: (divergence) =>
      is('of two versions the later one stays')
        ? (divergence.mine.value as ReturnType<typeof module.mergeSessions>)
        : module.mergeSessions(divergence),
    withToken: (entry, token) =>
      is("a token's keys do not go over an older record")
        ? (entry.value as ReturnType<typeof module.withToken>)
        : module.withToken(entry, token),
  }),

  token: (module: typeof tokenModule): Partial<typeof tokenModule> => ({
    ...module,
    createTokens(options) {
      const tokens = module.createTokens(options)
      return {
        seal(session, claims) {
          const text = tokens.seal(session, claims)
          sealedFor.set(text, session)
          return text
        },
        open: (session, text) =>
          tokens.open(is('tokens open for any session') ? (sealedFor.get(text) ?? session) : session, text),
      }
    },
  }),

  marks: (module: typeof marksModule): Partial<typeof marksModule> => ({
    ...module,
    createMarks(options) {
      const marks = module.createMarks(options)
      return {
        ...marks,
        isEnded: (session) => !is('sessions never count as ended') && marks.isEnded(session),
        isUserEnded: (...asked) =>
          !is('users never count as logged out everywhere') && marks.isUserEnded(...asked),
        mark(ending) {
          const isUnmarked = ending.of === 'user' && is('endings of a user are not marked')
          return marks.mark(isUnmarked ? { ...ending, until: 0 } : ending)
        },
        join: (theirs) =>
          is('endings are forgotten while the primary is away')
            ? marks.join(theirs).filter(([member]) => member.startsWith('c'))
            : marks.join(theirs),
      }
    },
  }),

  settle: (module: typeof settleModule): Partial<typeof settleModule> => ({
    ...module,
    settleJournal: (settle) =>
      is('the journal is not replayed') ? Promise.resolve(undefined) : module.settleJournal(settle),
  }),

  endings: (module: typeof endingsModule): Partial<typeof endingsModule> => ({
    ...module,
    createEndings({ availability, ...others }) {
      const onRecovery: typeof availability.onRecovery = (compare) => {
        let hasCompared = false
        availability.onRecovery((settling) => {
          if (hasCompared && is('the primary is trusted before endings are compared'))
            return Promise.resolve(undefined)
          hasCompared = true
          return compare(settling)
        })
      }
      const endings = module.createEndings({
        ...others,
        availability: Object.create(availability, {
          onRecovery: { value: onRecovery },
        }) as typeof availability,
      })
      return {
        ...endings,
        // Who asks before each restore does not depend on noticing.
        isInStep: () =>
          is('does not notice a gap in what it hears') ? Promise.resolve(true) : endings.isInStep(),
      }
    },
  }),

  knowledge: (module: typeof knowledgeModule): Partial<typeof knowledgeModule> => ({
    ...module,
    createKnowledge(options) {
      const knowledge = module.createKnowledge(options)
      return {
        ...knowledge,
        write: (wireKey, write) =>
          knowledge.write(
            wireKey,
            is('a write in memory ignores what it was based on') ? { ...write, base: 'any' } : write,
          ),
        read(wireKey) {
          const reading = knowledge.read(wireKey)
          const isDenied = reading.status === 'unknown' && is('what cannot be known is said not to be there')
          return isDenied ? { status: 'missing', origin: 'fallback' } : reading
        },
      }
    },
  }),

  deadlines: (module: typeof deadlinesModule): Partial<typeof deadlinesModule> => ({
    ...module,
    createDeadlines(options) {
      const deadlines = module.createDeadlines(options)
      return {
        ...deadlines,
        start(deadline) {
          if (!is('calls never time out')) deadlines.start(deadline)
        },
      }
    },
  }),

  rules: (module: typeof rulesModule): Partial<typeof rulesModule> => ({
    ...module,
    ruleOf(...asked) {
      const [name, rule] = module.ruleOf(...asked)
      return [name, is('writes are refused while the primary is away') ? { ...rule, write: 'refuse' } : rule]
    },
  }),

  sessions: (module: typeof sessionsModule): Partial<typeof sessionsModule> => ({
    ...module,
    createSessions(options) {
      const sessions = module.createSessions(options)
      const missing = new Set<string>()
      return {
        ...sessions,
        isEnded: (id) => sessions.isEnded(id) || (is('what is missing counts as ended') && missing.has(id)),
        tokenFor(id, data, from, overhead) {
          const isKept =
            is('a changed session keeps its token') && from.status === 'found' && from.token !== undefined
          const isGiven = is('an unknown session gets a token') && from.status === 'unknown'
          if (isKept) return undefined
          return sessions.tokenFor(id, data, isGiven ? sessions.begin() : from, overhead)
        },
        async load(id, token) {
          const known = is('memory outranks a newer token') ? await sessions.load(id) : undefined
          const loaded = known?.status === 'found' ? known : await sessions.load(id, token)
          if (loaded.status === 'missing') missing.add(id)
          return loaded
        },
      }
    },
  }),
}

const sealedFor = new Map<string, string>()
