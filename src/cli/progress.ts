export interface Progress {
  /** What is being done; takes the place of what was said before. */
  say(text: string): void
  /** Leaves nothing behind. */
  end(): void
}

const CLEAR_LINE = '\r\u001b[K'

/** One line on standard error that is written over: for a person who waits. Silent where that is no terminal. */
export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (stream.isTTY !== true) return { say: () => undefined, end: () => undefined }
  return {
    // A line that is wrapped could not be written over.
    say: (text) => void stream.write(`${CLEAR_LINE}${text.slice(0, Math.max(0, (stream.columns ?? 80) - 1))}`),
    end: () => void stream.write(CLEAR_LINE)
  }
}
