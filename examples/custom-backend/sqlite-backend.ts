import { DatabaseSync } from 'node:sqlite'
import { versionOf, written, type Backend, type Member, type SetOutcome } from '@holdfast/core'

interface Row {
  readonly value: Uint8Array
}

/** How often a client that listens looks for messages, and how long they are kept for those that look, in ms. */
const glance = 20
const messageLife = 10_000
const scanBatch = 200

/**
 * A backend in an SQLite file, shared by all processes of a machine. Made to show what it takes: transactions make the
 * conditional writes atomic, and messages go through a table that listeners look at.
 */
export function createSqliteBackend(file: string): Backend {
  const database = new DatabaseSync(file, { timeout: 1_000 })
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS members (name TEXT, member TEXT, expires_at REAL, PRIMARY KEY (name, member)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT, body BLOB, sent_at REAL);
  `)
  const select = database.prepare('SELECT value FROM entries WHERE key = ? AND expires_at > ?')
  const upsert = database.prepare('INSERT OR REPLACE INTO entries (key, value, expires_at) VALUES (?, ?, ?)')
  const remove = database.prepare('DELETE FROM entries WHERE key = ? AND expires_at > ?')
  const extend = database.prepare('UPDATE entries SET expires_at = ? WHERE key = ? AND expires_at > ?')
  const page = database.prepare(
    `SELECT key FROM entries WHERE key > ? AND substr(key, 1, length(?)) = ? AND expires_at > ? ORDER BY key LIMIT ${scanBatch}`,
  )
  const purge = database.prepare('DELETE FROM entries WHERE expires_at <= ?')
  const join = database.prepare(
    'INSERT INTO members VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)',
  )
  const leave = database.prepare('DELETE FROM members WHERE name = ? AND member = ?')
  const expire = database.prepare('DELETE FROM members WHERE expires_at < ?')
  const list = database.prepare(
    'SELECT member, expires_at AS at FROM members WHERE name = ? AND expires_at >= ? ORDER BY expires_at LIMIT ?',
  )
  const memberPage = database.prepare(
    `SELECT member, expires_at AS at FROM members WHERE name = ? AND member > ? ORDER BY member LIMIT ${scanBatch}`,
  )
  const send = database.prepare('INSERT INTO messages (channel, body, sent_at) VALUES (?, ?, ?)')
  const last = database.prepare('SELECT coalesce(max(id), 0) AS id FROM messages')
  const since = database.prepare('SELECT id, body FROM messages WHERE channel = ? AND id > ? ORDER BY id')
  const forget = database.prepare('DELETE FROM messages WHERE sent_at < ?')
  const listening = new Set<NodeJS.Timeout>()
  let isClosed = false

  function read(key: string): Uint8Array | undefined {
    return (select.get(key, Date.now()) as Row | undefined)?.value
  }

  function transact<T>(body: () => T): T {
    database.exec('BEGIN IMMEDIATE')
    try {
      const result = body()
      database.exec('COMMIT')
      return result
    } catch (error) {
      database.exec('ROLLBACK')
      throw error
    }
  }

  return {
    name: 'sqlite',
    capabilities: { shared: true, durable: true },
    get: async (key) => read(column(key)),
    getMany: async (keys) => keys.map((key) => read(column(key))),
    async set(key, value, { ttl = Infinity, ifAbsent, ifVersion } = {}): Promise<SetOutcome> {
      return transact(() => {
        const current = ifAbsent || ifVersion !== undefined ? read(column(key)) : undefined
        const stands =
          ifVersion === undefined
            ? current === undefined
            : current !== undefined && versionOf(current) === ifVersion
        if (!stands) return { written: false, current }
        upsert.run(column(key), value, Date.now() + ttl)
        return written
      })
    },
    delete: async (key) => remove.run(column(key), Date.now()).changes === 1,
    touch: async (key, ttl) => extend.run(Date.now() + ttl, column(key), Date.now()).changes === 1,
    async *scan(prefix) {
      purge.run(Date.now())
      const start = column(prefix)
      let after = ''
      for (;;) {
        const rows = page.all(after, start, start, Date.now()) as { key: string }[]
        if (rows.length === 0) return
        after = rows.at(-1)!.key
        yield rows.map(({ key }) => keyOf(key))
      }
    },
    async publish(channel, message) {
      forget.run(Date.now() - messageLife)
      send.run(column(channel), message, Date.now())
    },
    async subscribe(channel, listener) {
      let heard = (last.get() as { id: number }).id
      const timer = setInterval(() => {
        for (const { id, body } of since.all(column(channel), heard) as { id: number; body: Uint8Array }[]) {
          heard = id
          listener(body)
        }
      }, glance).unref()
      listening.add(timer)
      return {
        async close() {
          clearInterval(timer)
          listening.delete(timer)
        },
      }
    },
    sets: {
      add: async (set, members, also = {}) =>
        transact(() => {
          expire.run(Date.now())
          for (const [member, expiresAt] of members) join.run(column(set), member, expiresAt)
          if (also.delete !== undefined) remove.run(column(also.delete), Date.now())
          if (also.publish) send.run(column(also.publish.channel), also.publish.message, Date.now())
        }),
      remove: async (set, members) =>
        transact(() => members.forEach((member) => leave.run(column(set), member))),
      async members(set, { from, limit }) {
        return membersOf(list.all(column(set), Math.max(from, Date.now()), limit))
      },
      async *scan(set) {
        let after = ''
        for (;;) {
          const members = membersOf(memberPage.all(column(set), after))
          if (members.length === 0) return
          after = members.at(-1)![0]
          yield members
        }
      },
    },
    async ping() {
      database.exec('SELECT 1')
    },
    async close() {
      if (isClosed) return
      isClosed = true
      for (const timer of listening) clearInterval(timer)
      database.close()
    },
  }
}

function membersOf(rows: readonly object[]): Member[] {
  return (rows as { member: string; at: number }[]).map(({ member, at }) => [member, at])
}

/** SQLite ends a text at a zero character; percent signs make room for it. */
function column(key: string): string {
  return key.replaceAll('%', '%25').replaceAll('\0', '%00')
}

function keyOf(text: string): string {
  return text.replaceAll('%00', '\0').replaceAll('%25', '%')
}
