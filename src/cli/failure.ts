import { ConfigError } from '../config.js'
import { ApiError } from '../errors.js'
import { EXIT_WRONG_SETTING } from '../lib/exit-codes.js'

const LISTEN_FAULTS: Record<string, string> = {
  EADDRINUSE: 'something listens there already: stop it, or set another PORT',
  EACCES: 'this user may not listen there: set a PORT above 1023',
  EADDRNOTAVAIL: 'this machine has no such address: set another HOST',
  ENOTFOUND: 'there is no such host: set another HOST'
}

interface Failure {
  message: string
  /** 78 when only another setting helps, so that a supervisor need not try again; else 1. */
  exitCode: number
}

/** What to tell the operator about a command that failed, without a stack. */
export function failure(error: unknown): Failure {
  if (error instanceof ConfigError) return { message: error.message, exitCode: EXIT_WRONG_SETTING }
  if (!(error instanceof Error)) return { message: 'failed', exitCode: 1 }
  const known = error.cause instanceof ApiError ? error.cause : error
  if (known instanceof ApiError) return { message: refusal(known), exitCode: 1 }
  const root = 'query' in error ? rootOf(error) : error
  const { name, message, code, syscall, address, port } = root as NodeJS.ErrnoException & Record<string, unknown>
  const listening = syscall === 'listen' || syscall === 'bind' || syscall === 'getaddrinfo'
  const fault = listening && code !== undefined ? LISTEN_FAULTS[code] : undefined
  if (fault !== undefined) {
    const where = [address, port].filter((part) => part !== undefined).join(':')
    return { message: `cannot listen on ${where || 'HOST'}: ${fault}`, exitCode: EXIT_WRONG_SETTING }
  }
  return { message, exitCode: name === 'DataDirInUse' ? EXIT_WRONG_SETTING : 1 }
}

/** What the service would have answered, for a terminal. */
function refusal({ message, options }: ApiError): string {
  if (options.errors !== undefined) return options.errors.map((fault) => `${fault.field}: ${fault.message}`).join('\n')
  const reason = rootOf(options.cause)?.message ?? ''
  return reason === '' ? message : `${message} ${reason}`
}

/** The driver's own error: what Drizzle puts around it shows the statement and its parameters. */
function rootOf(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined
  return rootOf(error.cause) ?? error
}
