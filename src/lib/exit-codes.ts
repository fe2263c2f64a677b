/** EX_USAGE of sysexits.h: the command line means nothing. */
export const EXIT_WRONG_USAGE = 64

/** EX_CONFIG of sysexits.h: starting again changes nothing before a setting is changed. */
export const EXIT_WRONG_SETTING = 78

/** As shells have it: 128 and the number of SIGINT. */
export const EXIT_INTERRUPTED = 130

/** With which codes the commands end. */
export const EXIT_CODES = {
  0: 'done',
  1: 'not done, or something is wrong: standard error, or the report, says what',
  [EXIT_WRONG_USAGE]: 'the command line is wrong, and nothing was done',
  [EXIT_WRONG_SETTING]: 'a setting is wrong, and nothing was done; only another setting helps',
  [EXIT_INTERRUPTED]: 'interrupted by Ctrl-C'
} as const

export type ExitCode = keyof typeof EXIT_CODES
