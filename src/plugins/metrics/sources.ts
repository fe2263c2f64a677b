import type { FastifyInstance } from 'fastify'
import { version } from '../../lib/version.js'
import type { Metrics, SetValue } from './registry.js'
import { METRICS, type ReadableName } from './table.js'

type Read<Name extends ReadableName> = (set: SetValue<Name>) => void | Promise<void>
type Sources = { readonly [Name in ReadableName]?: Read<Name> }

const SESSIONS_EVERY_MS = 60_000

/** What plugins and features know about themselves, read when the metrics are asked for. */
export function addSources(app: FastifyInstance, metrics: Metrics): void {
  const all: Sources[] = [checks(app), limiter(app), keys(app), hashing(app), database(app), PROCESS, sessions(app)]
  for (const sources of all) {
    for (const [name, read] of Object.entries(sources)) metrics.source(name as ReadableName, read as Read<ReadableName>)
  }
}

function checks({ access, sessions, clientTrust }: FastifyInstance): Sources {
  return {
    postern_token_checks_total: (set) => set(access.acceptedTokens(), { result: 'success', reason: 'none' }),
    postern_missing_tokens_total: (set) => set(access.missingTokens()),
    postern_untrusted_forwarded_total: (set) => set(clientTrust.count()),
    postern_session_check_queries_total: (set) => set(sessions.checkStats().queries),
    postern_session_checks_total: (set) => {
      const stats = sessions.checkStats()
      for (const result of METRICS.postern_session_checks_total.labels.result) set(stats[result], { result })
    }
  }
}

function limiter({ limiter }: FastifyInstance): Sources {
  return {
    postern_rate_limit_mode: (set) => {
      for (const mode of METRICS.postern_rate_limit_mode.labels.mode) set(Number(limiter.mode() === mode), { mode })
    },
    postern_rate_limit_mode_changes_total: (set) => {
      const changes = limiter.changes()
      for (const mode of METRICS.postern_rate_limit_mode_changes_total.labels.mode) set(changes[mode], { mode })
    }
  }
}

function keys({ keys, clock }: FastifyInstance): Sources {
  return {
    postern_signing_keys: (set) => {
      const all = keys.inMemory()
      for (const state of METRICS.postern_signing_keys.labels.state) {
        set(all.filter((key) => key.state === state).length, { state })
      }
    },
    postern_signing_key_age_seconds: (set) => {
      const current = keys.inMemory().find(({ state }) => state === 'current')
      if (current === undefined) throw new Error('no key signs')
      set((clock.now() - current.activeAt.getTime()) / 1000)
    }
  }
}

function hashing({ passwords }: FastifyInstance): Sources {
  return {
    postern_hashes_running: (set) => set(passwords.stats().running),
    postern_hashes_waiting: (set) => set(passwords.stats().waiting),
    postern_hashes_refused_total: (set) => set(passwords.stats().refused)
  }
}

function database({ database: { state: stateNow, stats } }: FastifyInstance): Sources {
  return {
    postern_database_state: (set) => {
      for (const state of METRICS.postern_database_state.labels.state) set(Number(stateNow() === state), { state })
    },
    postern_database_calls_running: (set) => set(stats().running),
    postern_database_calls_waiting: (set) => set(stats().waiting),
    postern_database_calls_limit: (set) => set(stats().limit),
    postern_database_timeouts_total: (set) => set(stats().timeouts)
  }
}

/** It asks the database, and so stands below what tells how busy that is. */
function sessions({ sessions }: FastifyInstance): Sources {
  const live = remembered(() => sessions.estimateLive(), SESSIONS_EVERY_MS)
  return { postern_sessions: async (set) => set(await live()) }
}

const PROCESS: Sources = {
  postern_info: (set) => set(1, { version }),
  process_cpu_seconds_total: (set) => {
    const { user, system } = process.cpuUsage()
    set((user + system) / 1e6)
  },
  process_resident_memory_bytes: (set) => set(process.memoryUsage.rss()),
  process_start_time_seconds: (set) => set(performance.timeOrigin / 1000),
  nodejs_heap_size_used_bytes: (set) => set(process.memoryUsage().heapUsed),
  nodejs_heap_size_total_bytes: (set) => set(process.memoryUsage().heapTotal)
}

/** What costs a query is asked for at most so often, however many ask; a failure is not remembered. */
function remembered(read: () => Promise<number>, everyMs: number): () => Promise<number> {
  let last: { value: Promise<number>; at: number } | undefined
  return () => {
    const now = performance.now()
    if (last !== undefined && now - last.at < everyMs) return last.value
    const value = read()
    const asked = { value, at: now }
    last = asked
    value.catch(() => {
      if (last === asked) last = undefined
    })
    return value
  }
}
