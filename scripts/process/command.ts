import { execa } from 'execa';

/** In messages: programs describe an error at the beginning or at the end of their output. */
const FIRST_LINES = 12;
const LAST_LINES = 18;
const stopping = new AbortController();

/**
 * Runs a command to its end: `const { failed, stdout } = await command(file, args, options)`. Never rejects; `all` is
 * its output and its errors together. It ends with this process, and with {@link endCommands}.
 */
export const command = execa({
  all: true,
  reject: false,
  stdin: 'ignore',
  cancelSignal: stopping.signal,
});

/** Ends the commands that run, and all that are started later: no download continues after a request to stop. */
export function endCommands(): void {
  stopping.abort();
}

/** The part of a failed command's output that belongs into an error message. */
export function excerptOf({
  all,
  shortMessage = '',
}: {
  all: string;
  shortMessage?: string | undefined;
}): string {
  const lines = (all || shortMessage).split('\n');
  return lines.length <= FIRST_LINES + LAST_LINES
    ? lines.join('\n')
    : [...lines.slice(0, FIRST_LINES), '…', ...lines.slice(-LAST_LINES)].join('\n');
}
