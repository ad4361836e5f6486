import type { Member } from '../backend/backend.ts'

/** How many marks travel in one message at most. */
export const together = 500

/** What the processes of a fleet tell each other of endings. */
export function toMessage(members: readonly Member[]): Uint8Array {
  return Buffer.from(members.map(([member, expiresAt]) => `${member} ${expiresAt}`).join('\n'))
}

/** Whoever may publish may write here; what is no mark is passed over later. */
export function fromMessage(message: Uint8Array): Member[] {
  return Buffer.from(message)
    .toString('latin1')
    .split('\n', together)
    .map((line) => line.split(' '))
    .map(([member = '', expiresAt]): Member => [member, Number(expiresAt)])
}
