// A CommonJS application, as NestJS 10 and 11 are: it `require`s what is published. Prints what it sees, as JSON.
'use strict'

require('reflect-metadata')
const common = require('@nestjs/common')
const core = require('@nestjs/core')
const cache = require('@holdfast/cache-nestjs')
const terminus = require('@holdfast/cache-nestjs/terminus')
const { ExpressAdapter } = require('@nestjs/platform-express')
const { FastifyAdapter } = require('@nestjs/platform-fastify')

const [, , folder] = process.argv
const { behaviours } = require(`${folder}/behaviours.ts`)
const { withManager } = require(`${folder}/kit.ts`)
const { beyond } = require(`${folder}/beyond.ts`)
const kit = { common, core, cache, terminus, adapter: ExpressAdapter, url: process.env.REDIS_URL }

/** Runs them one after another, each on an empty cache. */
async function all(runs, used, select = () => true) {
  const seen = {}
  for (const [name, run] of Object.entries(runs).filter(([name]) => select(name))) {
    await withManager(used, undefined, (manager) => manager.clear())
    seen[name] = await run(used)
  }
  return seen
}

async function main() {
  const version = require('@nestjs/core/package.json').version
  const onFastify = { ...kit, adapter: FastifyAdapter }
  const seen = {
    version,
    behaviours: await all(behaviours, kit),
    fastify: await all(behaviours, onFastify, (name) => name.startsWith('the interceptor')),
    beyond: await all(beyond, kit),
  }
  console.log(JSON.stringify(seen))
}

void main()
