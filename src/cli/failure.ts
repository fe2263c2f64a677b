import { ConfigError } from '../config.js'
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
  const { name, message, code, syscall, address, port } = error as NodeJS.ErrnoException & Record<string, unknown>
  const listening = syscall === 'listen' || syscall === 'bind' || syscall === 'getaddrinfo'
  const fault = listening && code !== undefined ? LISTEN_FAULTS[code] : undefined
  if (fault !== undefined) {
    const where = [address, port].filter((part) => part !== undefined).join(':')
    return { message: `cannot listen on ${where || 'HOST'}: ${fault}`, exitCode: EXIT_WRONG_SETTING }
  }
  return { message, exitCode: name === 'DataDirInUse' ? EXIT_WRONG_SETTING : 1 }
}
