import { describe, expect, it } from 'vitest'
import { eventually, startCluster, startSentinel } from '../src/index.ts'
import { isRunning } from './support.ts'

describe.concurrent('a cluster', () => {
  it('comes up with all slots, and lets a replica take over for its master', async ({ onTestFinished }) => {
    const cluster = await startCluster({ masters: 3, replicas: 1, nodeTimeout: 500 })
    onTestFinished(() => cluster.stop())
    const [first, second, third] = cluster.masters
    expect(cluster.nodes).toHaveLength(6)
    for (const key of ['b', 'c', 'd']) {
      const slot = Number(await first!.control.command('CLUSTER', 'KEYSLOT', key))
      const owner = [first, second, third][Math.floor((slot * 3) / 16_384)]!
      expect(await owner.control.command('SET', key, '1')).toBe('OK')
    }
    await first!.kill()
    const role = () => cluster.replicas[0]!.control.command('ROLE')
    await eventually(async () => expect(await role()).toContain('master'), { within: 10_000 })
  })

  it('leaves nothing behind', async () => {
    const cluster = await startCluster({ masters: 1 })
    const pids = cluster.nodes.map(({ pid }) => pid)
    await cluster.stop()
    expect(pids.map(isRunning)).toEqual([false])
  })
})

describe.concurrent('Sentinel', () => {
  it('agrees by three on a new master, and one of them comes back as it was', async ({ onTestFinished }) => {
    const group = await startSentinel({ replicas: 1, sentinels: 3 })
    onTestFinished(() => group.stop())
    expect(await group.current()).toBe(group.master)
    await group.sentinels[0]!.kill()
    await group.sentinels[0]!.restart()
    group.master.freeze()
    await eventually(async () => expect(await group.current()).toBe(group.replicas[0]), { within: 10_000 })
    expect(await group.replicas[0]!.control.command('ROLE')).toContain('master')
  })

  it('does by itself', async () => {
    const group = await startSentinel()
    const pids = [group.master, ...group.replicas, ...group.sentinels].map(({ pid }) => pid)
    expect(pids).toHaveLength(3)
    await group.master.kill()
    await eventually(async () => expect(await group.current()).toBe(group.replicas[0]), { within: 10_000 })
    await group.stop()
    expect(pids.map(isRunning)).toEqual([false, false, false])
  })
})
