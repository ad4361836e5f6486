import { optionError } from './errors.ts'

/** A duration in milliseconds. */
export type Milliseconds = number
/** A size in bytes. */
export type Bytes = number
/** A duration as users give it: milliseconds, or a number with `ms`, `s`, `m`, `h` or `d`, as in `"5m"`. */
export type Duration = Milliseconds | string
/** A size as users give it: bytes, or a number with `b`, `kB`, `MB` or `GB` (powers of 1024), as in `"16kB"`. */
export type Size = Bytes | string

/** 100 years, the longest that anything lives: what is beyond is a mistake in units, and Redis refuses what overflows. */
export const century: Milliseconds = 36_500 * 86_400_000

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const sizeUnits = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

interface Range {
  readonly min?: number
  readonly max?: number
}

/** Reads a duration option in milliseconds; throws an error that names the option when it is none or out of range. */
export function parseDuration(option: string, given: unknown, range: Range = {}): Milliseconds {
  return parseUnit(option, given, durationUnits, 'a duration such as 250 (ms), "5s" or "30m"', range, inWords)
}

/** Reads a size option in bytes; throws an error that names the option when it is none or out of range. */
export function parseSize(option: string, given: unknown, range: Range = {}): Bytes {
  return parseUnit(option, given, sizeUnits, 'a size such as 4096 (bytes), "16kB" or "8MB"', range)
}

/** Reads a whole-number option; throws an error that names the option when it is none or out of range. */
export function parseCount(option: string, given: unknown, range: Range = {}): number {
  if (typeof given !== 'number' || !Number.isInteger(given))
    throw optionError(option, 'a whole number', given)
  return inRange(option, given, range, given)
}

function parseUnit(
  option: string,
  given: unknown,
  units: Readonly<Record<string, number>>,
  expected: string,
  range: Range,
  shown: (bound: number) => string = String,
): number {
  if (typeof given === 'number' && !Number.isNaN(given)) return inRange(option, given, range, given, shown)
  if (typeof given !== 'string') throw optionError(option, expected, given)
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(given)
  const factor = match && (match[2] === '' ? 1 : units[match[2]!.toLowerCase()])
  if (!match || factor === undefined || factor === null) throw optionError(option, expected, given)
  return inRange(option, Math.round(Number(match[1]) * factor), range, given, shown)
}

function inRange(
  option: string,
  value: number,
  { min = 0, max = Infinity }: Range,
  given: unknown,
  shown: (bound: number) => string = String,
): number {
  if (value >= min && value <= max) return value
  const bounds = max === Infinity ? `${shown(min)} or more` : `between ${shown(min)} and ${shown(max)}`
  throw optionError(option, bounds, given)
}

/** A duration as one would write it: in the largest unit that leaves no fraction. */
function inWords(ms: Milliseconds): string {
  if (ms === 0) return '0'
  const [unit, length] = Object.entries(durationUnits).findLast(([, one]) => ms % one === 0) ?? ['ms', 1]
  return `${ms / length}${unit}`
}
