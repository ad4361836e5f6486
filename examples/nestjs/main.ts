import { createApp } from './app.ts'

const { PORT = '3000', HOST = '127.0.0.1', PLATFORM } = process.env

const app = await createApp(PLATFORM === 'fastify' ? 'fastify' : 'express')
await app.listen(PORT, HOST)
console.log(`Holdfast demo: ${await app.getUrl()}`)
