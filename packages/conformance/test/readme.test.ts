import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { promises, type Kind } from '@holdfast/conformance'

const file = new URL('../README.md', import.meta.url)
const between = /(?<=<!-- promises -->\n)[^]*(?=<!-- \/promises -->)/

describe('the README', () => {
  it('lists the promises that the suite checks; `UPDATE=1` writes them down', async () => {
    const text = await readFile(file, 'utf8')
    const list = (['backend', 'session store', 'cache'] as const)
      .map((kind) => section(kind).trim())
      .join('\n\n')
    const updated = text.replace(between, () => `\n${list}\n\n`)
    if (process.env['UPDATE'] === '1') await writeFile(file, updated)
    else expect(text).toBe(updated)
  })

  it.each(['my-backend', 'my-cache'])('shows %s to the letter as cli.test.ts runs it', async (name) => {
    const example = await readFile(new URL(`cli-fixtures/${name}.conformance.ts`, import.meta.url), 'utf8')
    expect(await readFile(file, 'utf8')).toContain(`\`\`\`ts\n${example}\`\`\`\n`)
  })
})

function section(kind: Kind): string {
  const themes = Map.groupBy(promises(kind), ({ theme }) => theme)
  const lines = [...themes].map(
    ([theme, own]) => `**${theme}**\n\n${own.map(({ name }) => `- ${name}\n`).join('')}`,
  )
  return `\nA ${kind}…\n\n${lines.join('\n')}`
}
