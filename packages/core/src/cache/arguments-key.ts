import { HoldfastError } from '../errors.ts'

/**
 * Gives text for the arguments of a call: the same for equal plain data, another for data that differs. It is their JSON, where
 * JSON keeps them; `undefined`, `NaN`, the infinities and BigInts stand in it by their names, which are no JSON: so `f()`,
 * `f(undefined)` and `f(null)` are three, and `{}` is not `{ a: undefined }`.
 *
 * The order of properties counts, as in JSON: another order is a miss, not a mistake. What has a `toJSON`, such as a Date, is what
 * that gives; an instance of another class is its own enumerable properties; -0 is 0.
 *
 * Throws `ERR_HOLDFAST_KEY`, without a value, for what has nothing to tell it apart by, at any depth: a function, a symbol, a Map,
 * a Set, a RegExp, an Error, a typed array (a Buffer has a `toJSON`), an instance that keeps all to itself, a `toJSON` that gives
 * nothing (an invalid Date); and for what is nested deeper than 100 levels, or refers to itself.
 */
export function argumentsKey(args: readonly unknown[]): string {
  return listText(args, 0)
}

const deepest = 100

function textOf(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'bigint':
      return `${value}n`
    case 'object':
      return value === null ? 'null' : objectText(value, depth)
    default:
      throw notTold(`a ${typeof value}`)
  }
}

function objectText(value: { toJSON?: unknown }, depth: number): string {
  if (typeof value.toJSON !== 'function') return contentText(value, depth)
  const json = value.toJSON() as unknown
  if (json === undefined || json === null) throw notTold('an object whose toJSON gives nothing')
  return typeof json === 'object' ? contentText(json, depth) : textOf(json, depth)
}

function contentText(value: object, depth: number): string {
  if (depth > deepest) throw notTold('what is nested too deeply, or refers to itself')
  return Array.isArray(value) ? listText(value, depth) : propertiesText(value, depth)
}

function listText(list: readonly unknown[], depth: number): string {
  let text = ''
  // By index, as a list may have gaps.
  for (let i = 0; i < list.length; i++) text += (i > 0 ? ',' : '') + textOf(list[i], depth + 1)
  return `[${text}]`
}

function propertiesText(value: object, depth: number): string {
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1)
  if (kind !== 'Object') throw notTold(`what is of the kind ${kind}`)
  const keys = Object.keys(value)
  if (keys.length === 0 && !isPlain(value)) throw notTold('an instance of a class without properties')
  const isOwn = (symbol: symbol): boolean => Object.prototype.propertyIsEnumerable.call(value, symbol)
  if (Object.getOwnPropertySymbols(value).some(isOwn)) throw notTold('a property named by a symbol')
  let text = ''
  for (const key of keys) {
    const property = textOf((value as Record<string, unknown>)[key], depth + 1)
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${property}`
  }
  return `{${text}}`
}

/** Whether an object is of no class; those of other realms count. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function notTold(what: string): HoldfastError {
  return new HoldfastError(
    'ERR_HOLDFAST_KEY',
    `Calls cannot be told apart by their arguments, which hold ${what}: give a key function.`,
  )
}
