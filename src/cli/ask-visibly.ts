/** Asks a question whose answer is no secret: echoed on a terminal, else the next line of standard input. */
import { createInterface } from 'node:readline/promises';
import { UserError } from '../util/errors.ts';
import type { SecretReader } from './secret-reader.ts';

/** `secrets` reads standard input where that is no terminal, because it may hold lines that have arrived already. */
export async function askVisibly(question: string, secrets: Pick<SecretReader, 'ask'>, signal: AbortSignal): Promise<string> {
  if (!process.stdin.isTTY) return secrets.ask({ prompt: question }, signal);
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const closed = new Promise<never>((_resolve, reject) => {
      reader.once('close', () => reject(new UserError(`the terminal was closed where an answer was expected for "${question}"`)));
    });
    return await Promise.race([reader.question(`${question} `, { signal }), closed]);
  } finally {
    reader.close();
  }
}
