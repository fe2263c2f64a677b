// Writes .env.example and the settings table of README.md from src/settings/table.ts.
// Usage: npm run build && node scripts/settings.js
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const { dotEnvExample, withSettingsTable } = await import(new URL('dist/settings/document.js', root).href)

writeFileSync(new URL('.env.example', root), dotEnvExample())
const readme = fileURLToPath(new URL('README.md', root))
if (existsSync(readme)) writeFileSync(readme, withSettingsTable(readFileSync(readme, 'utf8')))
