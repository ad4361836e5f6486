import { optionError, unknownOption } from './errors.ts'

/**
 * Which options there are, by name; typed by them, so that the compiler keeps a list complete. `true`: what it may be, its
 * reader says.
 */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: KindOf<Options[Name]> }

type KindOf<Given> = [Given] extends [boolean | undefined]
  ? 'boolean'
  : Extract<Given, object> extends (...args: never[]) => unknown
    ? true
    : true | OptionPart<Given>

/** An option that is an object of options. */
export interface OptionPart<Given> {
  readonly names: OptionNames<Extract<Given, object>>
  /** What it may be instead. */
  readonly or?: readonly boolean[]
}

/** What other stores and clients call an address of Redis, or a part of it: passed over, another Redis would be used. */
const ofAddress: ReadonlySet<string> = new Set([
  'client',
  'database',
  'db',
  'host',
  'password',
  'port',
  'rootNodes',
  'socket',
  'uri',
  'url',
  'username',
])

/**
 * For authors of adapters: throws `ERR_HOLDFAST_OPTION` for an option that there is not, a misspelt one or one of another library, which
 * would leave its default in force unnoticed; also within an option that is an object, and where that is none. Names it, and
 * shows no value that may be a secret. `within` is what comes before the name. What is given as `undefined` is left out.
 */
export function refuseUnknownOptions(given: object, known: object, within = ''): void {
  if (!isObject(given)) throw wrongKind('options', ['an object'], given)
  const kinds = known as Readonly<Record<string, true | 'boolean' | OptionPart<object> | undefined>>
  for (const name in given) {
    const kind = kinds[name]
    // First, as each call of a cache with a policy comes by here.
    if (kind === true) continue
    const value = (given as Readonly<Record<string, unknown>>)[name]
    if (value === undefined || !Object.hasOwn(given, name)) continue
    if (kind === undefined || !Object.hasOwn(known, name))
      throw unknownOption(`${within}${name}`, insteadOf(name, known))
    checkKind(`${within}${name}`, value, kind)
  }
}

function insteadOf(name: string, known: object): string {
  const isAddress = ofAddress.has(name) && Object.hasOwn(known, 'redis')
  return isAddress ? ': name the Redis by "redis"' : `, only ${Object.keys(known).join(', ')}`
}

function checkKind(option: string, value: unknown, kind: 'boolean' | OptionPart<object>): void {
  if (kind === 'boolean') {
    if (typeof value !== 'boolean') throw optionError(option, 'true or false', value)
    return
  }
  const { names, or = [] } = kind
  if (isObject(value)) refuseUnknownOptions(value, names, `${option}.`)
  else if (!(or as readonly unknown[]).includes(value))
    throw wrongKind(option, [...or.map(String), 'an object'], value)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Text may be a secret, or the URL of a Redis with its password. */
function wrongKind(option: string, expected: readonly string[], given: unknown): Error {
  return optionError(option, expected.join(' or '), typeof given === 'string' ? 'text' : given)
}

/** For authors of adapters: gives the options of these names, of those that an adapter takes together. */
export function onlyOptions(options: object, names: object): object {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(names, name)))
}
