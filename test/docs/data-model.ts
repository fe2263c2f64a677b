import t from 'tap'
import { createApp } from '../fixtures/app.js'
import { readDocument } from '../fixtures/transcript.js'

const document = readDocument('docs/data-model.md')
/** Of a service that has started: its partitions are there, too. */
const { sql } = await createApp(t)

const PARTITION = /^auth_events_\d{4}_\d\d$/

/** The cells of the table with this heading, without the marks of code. */
function rowsOf(text: string, heading: string): string[][] {
  const table = text.split(heading)[1]?.split('\n\n', 1)[0] ?? ''
  return table
    .split('\n')
    .slice(2)
    .filter((row) => row.startsWith('|'))
    .map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .map(([, ...cells]) => cells.slice(0, -1))
}

/** The part of the document about each table, by the table's name. */
const sections = new Map(
  document
    .split('\n## ')
    .slice(1)
    .map((text) => [text.split('\n', 1)[0] ?? '', text] as const)
    .filter(([, text]) => text.includes('| column | type |'))
)

/** What the picture says: `table.column type keys`, and `parent -- child.column` for each line. */
function readPicture() {
  const picture = document.split('```mermaid')[1]?.split('```')[0] ?? ''
  const columns: string[] = []
  let table = ''
  for (const line of picture.split('\n')) {
    const [, opened] = /^ {2}(\w+) \{$/.exec(line) ?? []
    table = opened ?? table
    const [, type, name, keys = ''] = /^ {4}(\S+) (\w+)(?: ([A-Z,]+))?$/.exec(line) ?? []
    if (name !== undefined) columns.push(`${table}.${name} ${type} ${keys}`)
  }
  const lines = [...picture.matchAll(/^ {2}(\w+) \|\|(--|\.\.)o\{ (\w+) : (\w+)$/gm)]
  const relations = (kind: string) =>
    lines.filter(([, , drawn]) => drawn === kind).map(([, one, , many, column]) => `${one} ${kind} ${many}.${column}`)
  return { columns: columns.sort(), foreignKeys: relations('--').sort(), references: relations('..').sort() }
}

interface Column {
  table: string
  column: string
  type: string
  nullable: boolean
  keys: string
}

/** Of tables, without partitions; the short name of the type, as SQL takes it. */
async function columnsInDatabase(): Promise<Column[]> {
  const rows = await sql`
    select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable,
      exists (select from pg_index where indrelid = c.oid and indisprimary and a.attnum = any(indkey)) as pk,
      exists (select from pg_constraint where conrelid = c.oid and contype = 'f' and a.attnum = any(conkey)) as fk,
      exists (select from pg_index where indrelid = c.oid and indisunique and not indisprimary and a.attnum = any(indkey)) as uk
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'postern'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and a.attnum > 0 and not a.attisdropped
    order by c.relname, a.attnum`
  return rows.map((row) => ({
    table: row.table,
    column: row.column,
    type: row.type.replace(/^timestamp(\(\d\)) with time zone$/, 'timestamptz$1'),
    nullable: row.nullable,
    keys: ['pk', 'fk', 'uk']
      .filter((key) => row[key])
      .join()
      .toUpperCase()
  }))
}

t.test('docs/data-model.md has every column of every table, with its type, and no other', async (t) => {
  const columns = await columnsInDatabase()
  t.ok(columns.length > 50)
  t.strictSame([...sections.keys()].sort(), [...new Set(columns.map(({ table }) => table))].sort())
  for (const [table, section] of sections) {
    const documented = rowsOf(section, '| column | type | what it is |').map(([name, type]) => `${name}: ${type}`)
    const real = columns.filter((one) => one.table === table)
    t.strictSame(
      documented,
      real.map(({ column, type, nullable }) => `${column}: ${type}${nullable ? ', null' : ''}`),
      table
    )
  }
})

t.test('the picture has every column with its type and its keys, and no other', async (t) => {
  const columns = await columnsInDatabase()
  const real = columns.map(
    ({ table, column, type, keys }) => `${table}.${column} ${type.replace(/\(\d\)$/, '')} ${keys}`
  )
  t.strictSame(readPicture().columns, real.sort())
})

t.test('the lines of the picture are the foreign keys; a dotted one is an id without', async (t) => {
  const rows = await sql`
    select con.confrelid::regclass::text as parent, con.conrelid::regclass::text as child, a.attname as column
    from pg_constraint con join pg_attribute a on a.attrelid = con.conrelid and a.attnum = con.conkey[1]
    where con.connamespace = 'postern'::regnamespace and con.contype = 'f' and con.conparentid = 0`
  const bare = (name: string) => name.replace('postern.', '')
  const real = rows.map(({ parent, child, column }) => `${bare(parent)} -- ${bare(child)}.${column}`)
  const { foreignKeys, references } = readPicture()
  t.strictSame(foreignKeys, real.sort())
  const columns = await columnsInDatabase()
  const dotted = columns
    .filter(({ column, keys }) => ['user_id', 'session_id'].includes(column) && !keys.includes('FK'))
    .map(({ table, column }) => `${column.replace('_id', 's')} .. ${table}.${column}`)
  t.strictSame(references, dotted.sort())
})

/** `a = ANY (ARRAY['x'::text])` and `a in ('x')` are one; so are all parentheses and casts. */
function plain(condition: string): string {
  return condition
    .replace(/= ANY \(ARRAY\[([^\]]*)\]\)/g, 'in $1')
    .replaceAll('::text', '')
    .replace(/[()]/g, '')
    .toLowerCase()
}

t.test('docs/data-model.md has every index, foreign key and check, as the database has it, and no other', async (t) => {
  const indexes = await sql`
    select c.relname as table, i.relname as name, x.indisunique as unique, pg_get_expr(x.indpred, x.indrelid) as condition,
      substring(pg_get_indexdef(x.indexrelid) from 'USING btree (\\([^)]*\\))') as on
    from pg_index x join pg_class c on c.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
    where c.relnamespace = 'postern'::regnamespace and not c.relispartition`
  const constraints = await sql`
    select con.conrelid::regclass::text as table, con.conname as name, con.contype as type, a.attname as column,
      con.confrelid::regclass::text as parent
    from pg_constraint con join pg_attribute a on a.attrelid = con.conrelid and a.attnum = con.conkey[1]
    where con.connamespace = 'postern'::regnamespace and con.contype in ('f', 'c') and con.conparentid = 0`
  const real = [
    ...indexes.map(({ table, name, unique, condition, on }) => {
      const where = condition === null ? '' : ` where ${plain(condition)}`
      return `${table}: ${name} ${unique ? 'unique ' : ''}${on.replace('COLLATE', 'collate')}${where}`
    }),
    ...constraints
      .filter(({ table }) => !PARTITION.test(table.replace('postern.', '')))
      .map(({ table, name, type, column, parent }) => {
        const what = type === 'f' ? `foreign key ${column} to ${parent.replace('postern.', '')}` : `check ${column}`
        return `${table.replace('postern.', '')}: ${name} ${what}`
      })
  ]
  const documented = [...sections].flatMap(([table, section]) =>
    rowsOf(section, '| key or index | on | serves |').map(([name, on = '']) => {
      const [columns, condition] = on.split(' where ')
      return `${table}: ${name} ${columns}${condition === undefined ? '' : ` where ${plain(condition)}`}`
    })
  )
  t.strictSame(documented.sort(), real.sort())
})

t.test('docs/data-model.md has every view, function and trigger, and no other', async (t) => {
  const rows = await sql`
    select relname as name, 'view' as kind from pg_class where relnamespace = 'postern'::regnamespace and relkind in ('v', 'm')
    union select proname, 'function' from pg_proc where pronamespace = 'postern'::regnamespace
    union select tgname, 'trigger' from pg_trigger join pg_class on pg_class.oid = tgrelid
      where relnamespace = 'postern'::regnamespace and not tgisinternal`
  const documented = rowsOf(document, '| name | what | for |').map(
    ([name, what = '']) => `${name} ${what.split(' ')[0]}`
  )
  t.strictSame(documented.sort(), rows.map(({ name, kind }) => `${name} ${kind}`).sort())
})

t.test('the partitions are months, this one and the next three, and there is no default partition', async (t) => {
  const rows = await sql`
    select relname as name, pg_get_expr(relpartbound, oid) as bound,
      to_char(clock_timestamp() at time zone 'UTC', 'YYYY_MM') as month
    from pg_class where relnamespace = 'postern'::regnamespace and relispartition and relkind = 'r' order by relname`
  t.match(document, 'for this month and the next three')
  t.equal(rows.length, 4)
  t.equal(rows[0]?.name, `auth_events_${rows[0]?.month}`)
  for (const { name, bound } of rows) {
    t.match(name, PARTITION)
    t.match(bound, /^FOR VALUES FROM/)
  }
})
