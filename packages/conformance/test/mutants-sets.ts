import type { AlsoDo, ExpiringSets, Member } from '@holdfast/core'
import { mutant, type Mutant } from './mutant.ts'
import { override } from './override.ts'

type Add = [set: string, members: readonly Member[], also?: AlsoDo]

const everything = { from: 0, limit: 1e6 }
const farAway = Date.UTC(2200, 0)

const memberMutants: readonly Mutant[] = [
  ofSets('gives members with their times', 'giving the last first', (sets) => ({
    members: async (set, range) => (await sets.members(set, range)).toReversed(),
  })),
  ofSets('gives members with their times', 'giving all of them', (sets) => ({
    members: (set, { from }) => sets.members(set, { from, limit: 1e6 }),
  })),
  ofSets('gives members with their times', 'counting the limit from the first', (sets) => ({
    members: async (set, { from, limit }) =>
      (await sets.members(set, { from: 0, limit })).filter(([, at]) => at >= from),
  })),
  ofSets('gives members with their times', 'giving those after the time only', (sets) => ({
    members: (set, { from, limit }) => sets.members(set, { from: from + 1, limit }),
  })),
  ofSets('gives members with their times', 'taking seconds for times', (sets) => ({
    members: async (set, range) =>
      (await sets.members(set, range)).map(([member, at]) => [member, at / 1_000] as const),
  })),
  ofSets('lets the later of two times count', 'letting the last one count', (sets) => ({
    async add(...[set, members, also]: Add) {
      await sets.remove(set, namesOf(members))
      await sets.add(set, members, also)
    },
  })),
  ofSets('lets the later of two times count', 'letting the last of one call count', (sets) => ({
    add: (...[set, members, also]: Add) => sets.add(set, [...new Map(members)], also),
  })),
  ofSets('has no members whose time is over', 'keeping them', (sets) => {
    const kept = new Map<string, Member[]>()
    return {
      async add(...[set, members, also]: Add) {
        const soonOver = members.filter(([, at]) => at < Date.now() + 1_000)
        kept.set(set, [...(kept.get(set) ?? []), ...soonOver])
        await sets.add(set, members, also)
      },
      members: async (set, range) => [
        ...(kept.get(set) ?? []).filter(([, at]) => at >= range.from),
        ...(await sets.members(set, range)),
      ],
    }
  }),
  ofSets('has no members whose time is over', 'keeping them in a scan', (sets) => {
    const kept = new Map<string, Member[]>()
    return {
      async add(...[set, members, also]: Add) {
        kept.set(set, [...(kept.get(set) ?? []), ...members])
        await sets.add(set, members, also)
      },
      async *scan(set) {
        yield kept.get(set) ?? []
      },
    }
  }),
  ofSets('has no members whose time is over', 'dropping the set with the first of them', (sets) => {
    const ends = new Map<string, number>()
    return {
      async add(...[set, members, also]: Add) {
        ends.set(set, Math.min(ends.get(set) ?? Infinity, ...members.map(([, at]) => at)))
        await sets.add(set, members, also)
      },
      members: async (set, range) => ((ends.get(set) ?? 0) < Date.now() ? [] : sets.members(set, range)),
    }
  }),
  ofSets('lets go of a set', 'keeping it', (sets) => ({
    add: (...[set, members, also]: Add) =>
      sets.add(
        set,
        set.endsWith('gone') ? members.map(([member]) => [member, farAway] as const) : members,
        also,
      ),
  })),
  ofSets('lets go of a set', 'giving it the life of its first member', (sets) => {
    const ends = new Map<string, number>()
    return {
      async add(...[set, members, also]: Add) {
        if (!ends.has(set)) ends.set(set, Math.max(...members.map(([, at]) => at)))
        await sets.add(set, members, also)
      },
      members: async (set, range) => ((ends.get(set) ?? 0) < Date.now() ? [] : sets.members(set, range)),
    }
  }),
  ofSets('removes members, and takes', 'removing none', () => ({ remove: async () => undefined })),
  ofSets('removes members, and takes', 'removing the first only', (sets) => ({
    remove: (set, [first]) => sets.remove(set, first === undefined ? [] : [first]),
  })),
  ofSets('removes members, and takes', 'an error for one that is not there', (sets) => ({
    async remove(set, members) {
      const there = new Set(namesOf(await sets.members(set, everything)))
      if (members.some((member) => !there.has(member))) throw new Error('no such member')
      await sets.remove(set, members)
    },
  })),
  ofSets('takes members of letters', 'taking capitals for small letters', (sets) => ({
    add: (...[set, members, also]: Add) =>
      sets.add(
        set,
        members.map(([member, at]) => [member.toLowerCase(), at] as const),
        also,
      ),
  })),
  ofSets('takes members of letters', 'cutting them off at 128', (sets) => ({
    add: (...[set, members, also]: Add) =>
      sets.add(
        set,
        members.map(([member, at]) => [member.slice(0, 128), at] as const),
        also,
      ),
  })),
  ofSets('takes members of letters', 'taking figures for numbers', (sets) => ({
    add: (...[set, members, also]: Add) =>
      sets.add(
        set,
        members.map(([member, at]) => [`${Number(member) || member}`, at] as const),
        also,
      ),
  })),
  ofSets('gives three thousand members', 'keeping a thousand', (sets) => ({
    async add(...[set, members, also]: Add) {
      const there = await sets.members(set, everything)
      await sets.add(set, members.slice(0, Math.max(0, 1_000 - there.length)), also)
    },
  })),
  ofSets('gives three thousand members', 'giving a thousand at most, wherever one begins', (sets) => ({
    members: async (set, { from, limit }) =>
      (await sets.members(set, { from: 0, limit: 1_000 })).filter(([, at]) => at >= from).slice(0, limit),
  })),
]

const apartMutants: readonly Mutant[] = [
  ofSets('keeps sets apart from each other', 'one set for all', (sets) => ({
    add: (...[, members, also]: Add) => sets.add('all', members, also),
    members: (_set, range) => sets.members('all', range),
  })),
  ofSets('keeps sets apart from each other', 'taking capitals for small letters', (sets) => ({
    add: (...[set, members, also]: Add) => sets.add(set.toLowerCase(), members, also),
    members: (set, range) => sets.members(set.toLowerCase(), range),
  })),
  mutant('keeps sets apart from keys', 'keeping each member under a key', ({ sets, set }) => ({
    sets: override(sets!, {
      async add(...[name, members, also]: Add) {
        await sets!.add(name, members, also)
        for (const [member] of members) await set(`${name}:${member}`, Buffer.from('1'))
      },
    }),
  })),
  mutant('keeps sets apart from keys', 'keeping its members in the key beside', (inner) => ({
    delete: async (key) => {
      if (key.endsWith(':')) await inner.sets!.remove(key.slice(0, -1), ['b'])
      return inner.delete(key)
    },
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
]

const alsoMutants: readonly Mutant[] = [
  ofSets('leaves no moment with neither', 'adding only', (sets) => ({
    add: (...[set, members, also]: Add) => sets.add(set, members, also?.publish && { publish: also.publish }),
  })),
  ofSets('leaves no moment with neither', 'removing only', (sets) => ({
    add: (...[set, members, also]: Add) => sets.add(set, also?.delete === undefined ? members : [], also),
  })),
  mutant('leaves no moment with neither', 'removing first and adding then', (inner) => ({
    sets: override(inner.sets!, {
      async add(...[set, members, also]: Add) {
        if (also?.delete !== undefined) {
          await inner.delete(also.delete)
          await pause(10)
        }
        await inner.sets!.add(set, members, also)
      },
    }),
  })),
  mutant('leaves no moment with neither', 'removing whatever begins alike', (inner) => ({
    sets: override(inner.sets!, {
      async add(...[set, members, also]: Add) {
        await inner.sets!.add(set, members, also)
        if (also?.delete !== undefined) await inner.delete(also.delete.replace(/record \d+$/, 'neighbour'))
      },
    }),
  })),
  mutant('where either has been done already', 'adding nothing where there is no key', (inner) => ({
    sets: override(inner.sets!, {
      async add(...[set, members, also]: Add) {
        const isThere = also?.delete === undefined || (await inner.get(also.delete)) !== undefined
        await inner.sets!.add(set, isThere ? members : [], also)
      },
    }),
  })),
  ofSets('where either has been done already', 'removing nothing where the member is there', (sets) => ({
    async add(...[set, members, also]: Add) {
      const there = new Set(namesOf(await sets.members(set, everything)))
      const isThere = namesOf(members).every((member) => there.has(member))
      await sets.add(set, members, isThere ? {} : also)
    },
  })),
  ofSets('tells those who listen of a member', 'telling nobody', (sets) => ({
    add: (...[set, members, also]: Add) =>
      sets.add(set, members, also?.delete === undefined ? {} : { delete: also.delete }),
  })),
  mutant('tells those who listen of a member', 'telling before', (inner) => ({
    sets: override(inner.sets!, {
      async add(...[set, members, { publish } = {}]: Add) {
        if (publish) await inner.publish(publish.channel, publish.message)
        await pause(10)
        await inner.sets!.add(set, members)
      },
    }),
  })),
  ofSets('tells those who listen of a member', 'taking bytes for text', (sets) => ({
    add: (...[set, members, { publish } = {}]: Add) =>
      sets.add(
        set,
        members,
        publish && {
          publish: { ...publish, message: Buffer.from(Buffer.from(publish.message).toString('utf8')) },
        },
      ),
  })),
  mutant('tells those who listen of a member', 'telling twice', (inner) => ({
    sets: override(inner.sets!, {
      async add(...[set, members, also]: Add) {
        await inner.sets!.add(set, members, also)
        if (also?.publish) await inner.publish(also.publish.channel, also.publish.message)
      },
    }),
  })),
]

/** Some mutants at least for each promise about sets. */
export const setMutants: readonly Mutant[] = [...memberMutants, ...apartMutants, ...alsoMutants]

function ofSets(breaks: string, by: string, change: (sets: ExpiringSets) => Partial<ExpiringSets>): Mutant {
  return mutant(breaks, by, ({ sets }) => ({ sets: override(sets!, change(sets!)) }))
}

function namesOf(members: readonly Member[]): string[] {
  return members.map(([member]) => member)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}
