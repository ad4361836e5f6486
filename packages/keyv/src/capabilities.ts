/** What Keyv 6 asks of an adapter before it uses it. */
export interface KeyvCapabilities {
  readonly compatible: boolean
  readonly store: 'keyvStorage'
  /** Whether it is told until when an entry lives. */
  readonly expires: boolean
  readonly methods: Readonly<
    Record<Method, { readonly exists: boolean; readonly methodType: 'async' | 'sync' }>
  >
}

type Method =
  | 'get'
  | 'getMany'
  | 'has'
  | 'hasMany'
  | 'set'
  | 'setMany'
  | 'delete'
  | 'deleteMany'
  | 'clear'
  | 'disconnect'
  | 'iterator'

const method = { exists: true, methodType: 'async' } as const

export const capabilities: KeyvCapabilities = {
  compatible: true,
  store: 'keyvStorage',
  expires: true,
  methods: {
    get: method,
    getMany: method,
    has: method,
    hasMany: method,
    set: method,
    setMany: method,
    delete: method,
    deleteMany: method,
    clear: method,
    disconnect: method,
    iterator: { exists: true, methodType: 'sync' },
  },
}
