import { mutant, type Mutant } from './mutant.ts'
import { isAway, ofSessions, remembering } from './mutants-outage.ts'

export const lateMutants: readonly Mutant[] = [
  mutant('checks the condition of a write when it takes effect', 'checking it when it was sent', (inner) => {
    let isLate = false
    return {
      async set(key, value, options) {
        if (Buffer.compare(value, Buffer.from('late')) !== 0 || isLate) return inner.set(key, value, options)
        const outcome = await inner.set(key, Buffer.from('probe'), { ifAbsent: true })
        await settled()
        await inner.set(key, value)
        isLate = false
        return outcome
      },
    }
  }),
  ofSessions('does not bring back an entry that was deleted', 'applying late what was given up', lateSave),
  ofSessions('does not let a write that was given up replace', 'applying late what was given up', lateSave),
  ofSessions('keeps an entry deleted that another client', 'applying late what was given up', lateSave),
  ofSessions('keeps a session ended whose end itself', 'going by what it once loaded', remembering),
]

function lateSave(
  sessions: Parameters<Parameters<typeof ofSessions>[2]>[0],
  holdfast: Parameters<typeof isAway>[0],
) {
  const late: (() => void)[] = []
  const putBack = (id: string, data: object): Promise<unknown> =>
    holdfast.backend.set(`${holdfast.prefix}:session:${id}`, Buffer.from(JSON.stringify(data)))
  holdfast.on(
    'transition',
    ({ to }) => to === 'healthy' && setTimeout(() => late.splice(0).forEach((save) => save()), 150),
  )
  return {
    async save(...[id, data, from]: Parameters<typeof sessions.save>) {
      const saved = await sessions.save(id, data, from)
      if (isAway(holdfast) && data['user'] === 'late') late.push(() => void putBack(id, data))
      return saved
    },
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 300))
}
