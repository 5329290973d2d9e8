/** Looking for secrets where they must not be. */
import { readdirSync, readFileSync } from 'node:fs';

const SAMPLE_INTERVAL_MS = 20;

/** The command lines of all processes of this machine that ran at any time until the promise was settled, as often as they could be looked at. */
export async function commandLinesWhile<T>(running: Promise<T>): Promise<{ readonly result: T; readonly commandLines: string }> {
  const seen = new Set<string>();
  const sample = (): void => {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  const timer = setInterval(sample, SAMPLE_INTERVAL_MS);
  try {
    const result = await running;
    return { result, commandLines: [...seen].join('\n') };
  } finally {
    clearInterval(timer);
  }
}

/** The ways in which a secret may be written: as it is, in URLs, in base64, alone or as HTTP's Basic has it with the login. */
export function secretForms(secret: string, login: string = ''): string[] {
  const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
  return [...new Set([secret, encodeURIComponent(secret), base64(secret), base64(`${login}:${secret}`)])];
}
