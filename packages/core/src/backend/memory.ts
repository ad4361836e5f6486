import type { Backend } from './backend.ts'
import type { Clock } from '../clock.ts'
export interface MemoryBackendOptions { readonly clock?: Clock }
export function createMemoryBackend(_options: MemoryBackendOptions = {}): Backend { throw new Error('being written') }
