import { session } from '../src/index.ts'

// A process of its own: options that are refused, and nothing that would end it by force.
const [redis, options] = process.argv.slice(2) as [string, string]
try {
  session({
    secret: 'a secret of the tests, of 32 bytes and more',
    redis,
    logger: false,
    ...(JSON.parse(options) as object),
  })
} catch (error) {
  console.log(String(error))
}
