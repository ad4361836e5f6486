import type { AlsoDo, ExpiringSets, Member } from '@holdfast/core'
import { mutant, type Mutant } from './mutant.ts'
import { override } from './override.ts'

type Add = [set: string, members: readonly Member[], also?: AlsoDo]

/** One mutant at least for each promise about sets. */
export const setMutants: readonly Mutant[] = [
  ofSets('gives members with their times', 'giving the last first', (sets) => ({
    members: async (set, range) => (await sets.members(set, range)).toReversed(),
  })),
  ofSets('gives members with their times', 'giving all of them', (sets) => ({
    members: (set, { from }) => sets.members(set, { from, limit: 1e6 }),
  })),
  ofSets('lets the later of two times count', 'letting the last one count', (sets) => ({
    async add(...[set, members, also]: Add) {
      await sets.remove(
        set,
        members.map(([member]) => member),
      )
      await sets.add(set, members, also)
    },
  })),
  ofSets('has no members whose time is over', 'keeping them', (sets) => ({
    add: (...[set, members, also]: Add) =>
      sets.add(
        set,
        members.map(([member, at]) => [member, Math.max(at, 3e12)] as const),
        also,
      ),
  })),
  ofSets('removes members, and takes', 'removing none', () => ({ remove: async () => undefined })),
  ofSets('removes members, and takes', 'an error for one that is not there', (sets) => ({
    async remove(set, members) {
      const there = new Set((await sets.members(set, { from: 0, limit: 1e6 })).map(([member]) => member))
      if (members.some((member) => !there.has(member))) throw new Error('no such member')
      await sets.remove(set, members)
    },
  })),
  ofSets('keeps sets apart', 'one set for all', (sets) => ({
    add: (...[, members, also]: Add) => sets.add('all', members, also),
    members: (_set, range) => sets.members('all', range),
  })),
  ofSets('removes a key where it adds', 'adding only', (sets) => ({
    add: (...[set, members, also]: Add) => sets.add(set, members, also?.publish && { publish: also.publish }),
  })),
  ofSets('removes a key where it adds', 'telling nobody', (sets) => ({
    add: (...[set, members, also]: Add) =>
      sets.add(set, members, also?.delete === undefined ? {} : { delete: also.delete }),
  })),
  mutant('lets one client see the members', 'a set for each client', ({ sets }) => {
    const own = Math.random().toString(36)
    return {
      sets: override(sets!, {
        add: (...[set, members, also]: Add) => sets!.add(own + set, members, also),
        members: (set, range) => sets!.members(own + set, range),
      }),
    }
  }),
  ofSets('gives three thousand members', 'keeping a thousand', (sets) => ({
    async add(...[set, members, also]: Add) {
      const there = await sets.members(set, { from: 0, limit: 1e6 })
      await sets.add(set, members.slice(0, Math.max(0, 1_000 - there.length)), also)
    },
  })),
  mutant('tells a listener of the gap', 'saying nothing', (inner) => ({
    subscribe: (channel, listener) => inner.subscribe(channel, listener),
  })),
]

function ofSets(breaks: string, by: string, change: (sets: ExpiringSets) => Partial<ExpiringSets>): Mutant {
  return mutant(breaks, by, ({ sets }) => ({ sets: override(sets!, change(sets!)) }))
}
