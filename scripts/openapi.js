// Writes openapi.json from the routes' schemas. Needs a build, no database. Usage: npm run openapi
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildApp } from '../dist/app.js'
import { loadConfig } from '../dist/config.js'

const app = await buildApp({
  config: loadConfig({
    LOG_LEVEL: 'silent',
    AUTH_SECRET: 'only-to-print-the-document-0123456789',
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    CLIENTS: 'only-to-print:the-document-0123456789'
  })
})
await app.ready()
const file = fileURLToPath(new URL('../openapi.json', import.meta.url))
writeFileSync(file, `${JSON.stringify(app.swagger(), null, 2)}\n`)
await app.close()
