import { spawnSync } from 'node:child_process'

/** The account that PostgreSQL runs as when Postern itself is root, which PostgreSQL refuses to be. */
export interface Account {
  name: string
  uid: number
  gid: number
}

/** `postgres`, else `nobody`; undefined when this process is not root and needs no other. */
export function findAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const uid = lookUp('-u', name)
    const gid = lookUp('-g', name)
    if (uid !== undefined && gid !== undefined) return { name, uid, gid }
  }
  throw new Error(
    'PostgreSQL does not run as root, and there is no user "postgres" or "nobody": start Postern as a normal user'
  )
}

function lookUp(flag: string, name: string): number | undefined {
  const { status, stdout } = spawnSync('id', [flag, name], { encoding: 'utf8' })
  return status === 0 ? Number(stdout) : undefined
}

/** Whether `account` can enter `folder`, and so every folder above it. */
export function canEnter(account: Account, folder: string): boolean {
  const probe = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], {
    stdio: 'ignore',
    cwd: '/',
    uid: account.uid,
    gid: account.gid
  })
  return probe.status === 0
}
