import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { packageRoot } from '../../src/lib/package-root.js'

/** How a gateway is run with the file of the repository as it is. */
export interface Program {
  name: string
  /** In `folder` it may write what it has to. */
  command(folder: string): { args: string[]; cwd?: string; env?: Record<string, string> }
  /** Settings of Postern that this gateway needs. */
  settings?: Record<string, string>
  /** It resolves dot segments itself, before it asks. */
  resolvesPaths?: true
  /** It also checks `/reports/*` by the published keys. */
  checksKeys?: true
}

const deploy = (path: string) => join(packageRoot(), 'deploy', path)

export const PROGRAMS: Program[] = [
  {
    name: 'nginx',
    // The file belongs into the http context, so that something has to stand around it.
    command: (folder) => {
      const around = [
        'daemon off; worker_processes 2; pid nginx.pid; error_log stderr warn;',
        process.getuid?.() === 0 ? 'user root;' : '',
        'events { worker_connections 1024; }',
        'http {',
        '  access_log off;',
        ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `  ${name}_temp_path ${name};`),
        `  include ${deploy('nginx/postern.conf')};`,
        '}'
      ]
      writeFileSync(join(folder, 'nginx.conf'), around.join('\n'))
      return { args: ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'] }
    }
  },
  {
    name: 'caddy',
    command: (folder) => ({
      args: ['run', '--adapter', 'caddyfile', '--config', deploy('caddy/Caddyfile')],
      env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
    })
  },
  { name: 'haproxy', command: () => ({ args: ['-db', '-f', deploy('haproxy/haproxy.cfg')] }) },
  {
    name: 'envoy',
    command: () => ({ args: ['--disable-hot-restart', '-l', 'warn', '-c', deploy('envoy/envoy.yaml')] }),
    settings: { OWNER_PATHS: '/api/:user_id/*' },
    checksKeys: true
  },
  {
    name: 'traefik',
    command: () => ({ args: ['--configfile=traefik.yaml'], cwd: deploy('traefik') }),
    resolvesPaths: true
  }
]

export function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-gateway-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
