/** s3ql_oauth_client: brings a person to Google and back. */
import { spawn } from 'node:child_process';
import { obtainRefreshToken } from '../backends/gs/oauth-consent.ts';
import { readOauthClient } from '../backends/gs/oauth-client-file.ts';
import { HttpClient } from '../backends/http/http-client.ts';
import { askVisibly } from './ask-visibly.ts';
import { EXIT_OK } from './exit-codes.ts';
import { oauthClientSpec } from './options/oauth-client.ts';
import { openCommandOutput } from './output.ts';
import { parseCommand } from './parse-command.ts';
import { InterruptedError } from './report-error.ts';
import { abortOnInterrupt } from './run-mkfs.ts';
import { SecretReader } from './secret-reader.ts';

const TIMEOUT_MS = 20_000;

/** The command. Returns its exit code. */
export async function runOauthClient(argv: readonly string[]): Promise<number> {
  const options = parseCommand(oauthClientSpec, argv);
  using _output = await openCommandOutput(options, oauthClientSpec.program);
  const client = readOauthClient(options.oauthClient);
  using interrupt = abortOnInterrupt();
  const { signal } = interrupt;
  const secrets = new SecretReader();
  await using http = new HttpClient({ maxConnections: 1, timeoutMs: TIMEOUT_MS });
  try {
    const person = {
      show(url: string): void {
        process.stderr.write(`Open this address in a browser, and allow access:\n\n  ${url}\n\n`);
        if (!options.noBrowser) startBrowser(url);
      },
      async pasted(complaint: string | undefined): Promise<string | undefined> {
        if (complaint !== undefined) process.stderr.write(`${complaint}.\n`);
        // Without anybody at standard input the browser alone can answer.
        return askVisibly('Waiting. If the browser ends at a page that cannot be opened, paste its address here:', secrets, signal).catch(
          (error: unknown) => {
            if (signal.aborted) throw error;
            return undefined;
          },
        );
      },
    };
    const token = await obtainRefreshToken(client, http, person, signal);
    process.stderr.write('\nThis is the refresh token: for gs://, use it as backend-password, with "oauth2" as backend-login.\n');
    process.stdout.write(options.json ? `${JSON.stringify({ refreshToken: token })}\n` : `${token}\n`);
    return EXIT_OK;
  } catch (error) {
    throw signal.aborted ? new InterruptedError({ cause: error }) : error;
  }
}

/** Only where there is a desktop; whether it works, the person sees. */
function startBrowser(url: string): void {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  if (!DISPLAY && !WAYLAND_DISPLAY) return;
  const browser = spawn('xdg-open', [url], { stdio: 'ignore', detached: true });
  browser.on('error', () => undefined);
  browser.unref();
}
