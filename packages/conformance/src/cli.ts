#!/usr/bin/env node
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { formatReport, isConformant } from './report.ts'
import { runConformance } from './run.ts'
import { checked, type AnySubject } from './subject.ts'

const usage = `holdfast-conformance <file> [--only <text>] [--json]

Runs the conformance suite on the subject that the file exports as its default:

  import { defineBackend } from '@holdfast/conformance'
  export default defineBackend({ name: 'my backend', create: () => createMyBackend() })

  --only <text>   runs only the promises whose name contains the text
  --json          prints the report as JSON

Exits with 0 if no promise was broken, 1 if one was, 2 if the suite could not be run.`

const typesNeed =
  'A .ts file needs Node 22.18 or later, or NODE_OPTIONS=--experimental-strip-types before; or compile it to JavaScript.'

interface Arguments {
  readonly file: string
  readonly only: string
  readonly json: boolean
}

const [, , ...given] = process.argv
if (given.includes('--help') || given.includes('-h')) console.log(usage)
else process.exitCode = await main(given)
// A subject may hold connections that nobody closes; the verdict is in.
setTimeout(() => process.exit(), 500).unref()

async function main(words: readonly string[]): Promise<0 | 1 | 2> {
  const problem = (text: string): 2 => {
    console.error(`holdfast-conformance: ${text}`)
    return 2
  }
  const read = readArguments(words)
  if (typeof read === 'string') return problem(`${read}\n\n${usage}`)
  let subject: AnySubject
  try {
    subject = await load(read.file)
  } catch (error) {
    return problem(`${read.file}: ${whyNotLoaded(error)}`)
  }
  try {
    const report = await runConformance(subject, { only: read.only })
    if (report.checks.length === 0) return problem(`no promise contains "${read.only}"`)
    console.log(read.json ? JSON.stringify(report, errorsAsText, 2) : formatReport(report))
    return isConformant(report) ? 0 : 1
  } catch (error) {
    return problem(`the suite could not be run: ${error instanceof Error ? error.stack : String(error)}`)
  }
}

function readArguments(words: readonly string[]): Arguments | string {
  let file: string | undefined
  let only = ''
  let json = false
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === '--json') json = true
    else if (word === '--only') {
      const text = words[++i]
      if (text === undefined) return '--only needs a text'
      only = text
    } else if (word.startsWith('-')) return `unknown option ${word}`
    else if (file === undefined) file = word
    else return 'only one file can be given'
  }
  return file === undefined ? 'a file is needed' : { file, only, json }
}

async function load(file: string): Promise<AnySubject> {
  const module = (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown }
  if (module.default === undefined) throw new TypeError('it has no default export')
  const subject: unknown = typeof module.default === 'function' ? await module.default() : module.default
  return checked(subject as AnySubject)
}

function whyNotLoaded(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ((error as NodeJS.ErrnoException).code !== 'ERR_UNKNOWN_FILE_EXTENSION') return error.message
  return `this Node cannot import it (${error.message}). ${typesNeed}`
}

function errorsAsText(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value
}
