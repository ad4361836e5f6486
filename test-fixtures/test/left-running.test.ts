import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../src/index.ts'
import { isRunning } from './support.ts'

const fixtures = JSON.stringify(new URL('../src/index.ts', import.meta.url).href)

const start = `
  import { startRedis } from ${fixtures}
  const redis = await startRedis()
  const [, folder] = await redis.control.command('CONFIG', 'GET', 'dir')
  redis.freeze()
`

interface Started {
  readonly pid: number
  readonly folder: string
}

/** Runs a script in a Node of its own, and gives what it says first. */
async function run(script: string) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  return { child, exited, started: JSON.parse(String(line)) as Started }
}

/** All processes that have to do with a folder: the server and its guard. */
function processesOf({ folder }: Started): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && isRunning(pid) && commandOf(pid).includes(folder))
}

function commandOf(pid: number): string {
  try {
    // A server replaces its command line by its title; what it works in is its folder.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

async function expectNothingLeft(started: Started): Promise<void> {
  await eventually(() => {
    expect(isRunning(started.pid)).toBe(false)
    expect(processesOf(started)).toEqual([])
    expect(existsSync(started.folder)).toBe(false)
  })
}

describe('a frozen server and its guard', () => {
  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'end with the process that started them, on %s',
    async (signal) => {
      const { child, started } = await run(
        `${start} console.log(JSON.stringify({ pid: redis.pid, folder })); setInterval(() => {}, 1000)`,
      )
      expect(isRunning(started.pid)).toBe(true)
      expect(processesOf(started)).not.toEqual([])
      child.kill(signal)
      await expectNothingLeft(started)
    },
  )

  it('end with a process that throws', async () => {
    const failing = `console.log(JSON.stringify({ pid: redis.pid, folder })); setTimeout(() => process.exit(3), 20)`
    const { exited, started } = await run(`${start} ${failing}`)
    expect(await exited).toEqual([3, null])
    await expectNothingLeft(started)
  })

  it('end with a worker thread that is terminated', async () => {
    const { started } = await run(`
      import { Worker } from 'node:worker_threads'
      const inside = ${JSON.stringify(`
        import { parentPort } from 'node:worker_threads'
        ${start}
        parentPort.postMessage({ pid: redis.pid, folder })
      `)}
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(inside)))
      worker.once('message', async (started) => {
        console.log(JSON.stringify(started))
        await worker.terminate()
      })
      setInterval(() => {}, 1000)
    `)
    await expectNothingLeft(started)
  })

  it('end with the process even if the server was killed before', async () => {
    const { child, started } = await run(
      `${start} await redis.kill(); console.log(JSON.stringify({ pid: redis.pid, folder })); setInterval(() => {}, 1000)`,
    )
    expect(isRunning(started.pid)).toBe(false)
    child.kill('SIGKILL')
    await expectNothingLeft(started)
  })

  it('end when the server is stopped', async () => {
    const { started } = await run(
      `${start} console.log(JSON.stringify({ pid: redis.pid, folder })); await redis.stop(); setInterval(() => {}, 1000)`,
    )
    await expectNothingLeft(started)
  })

  it('keep no process alive that has stopped its server', async () => {
    const { exited, started } = await run(
      `${start} console.log(JSON.stringify({ pid: redis.pid, folder })); await redis.stop()`,
    )
    expect(await exited).toEqual([0, null])
    await expectNothingLeft(started)
  })

  it('are not kept by a process that is killed at any moment of their start', async () => {
    const starting = [0, 2, 4, 6, 10, 15].map(async (ms) => {
      const { child, started } = await run(`
        import { startRedis } from ${fixtures}
        import { mkdtempSync } from 'node:fs'
        const folder = mkdtempSync('/tmp/holdfast-killed-')
        process.env.TMPDIR = folder
        console.log(JSON.stringify({ pid: process.pid, folder }))
        await startRedis()
        setInterval(() => {}, 1000)
      `)
      await new Promise((resolve) => setTimeout(resolve, ms))
      child.kill('SIGKILL')
      await eventually(() => expect(processesOf(started)).toEqual([]))
      await import('node:fs/promises').then(({ rm }) => rm(started.folder, { recursive: true, force: true }))
    })
    await Promise.all(starting)
  })
})
