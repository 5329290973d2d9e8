/** s3ql_oauth_client: options. */
import type { CommandSpec } from './option.ts';
import { logOptions, outputOptions, type LogOptions, type OutputOptions } from './shared.ts';
import { path } from './values.ts';

/** Relative to the home directory; where gs:// looks, too. */
export const DEFAULT_OAUTH_CLIENT = '~/.s3ql/google-oauth-client.json';

interface OauthClientOwnOptions {
  readonly oauthClient: string;
  readonly noBrowser: boolean;
}

export const oauthClientSpec: CommandSpec<unknown, OauthClientOwnOptions & LogOptions & OutputOptions> = {
  name: 'oauth-client',
  program: 's3ql_oauth_client',
  summary: 'Get a refresh token for Google Cloud Storage',
  description: [
    'Asks for access to Google Cloud Storage in a web browser, and prints the refresh token that gs:// takes as backend-password, with "oauth2" as backend-login. It is printed to standard output alone, so that it can go to a file: s3ql_oauth_client > token.',
    'If the browser runs on another computer, it ends at an address that it cannot open: paste that address here.',
    'Google wants to know which program asks. Create an OAuth client of type "Desktop app" at https://console.cloud.google.com/auth/clients, and save its JSON file as ~/.s3ql/google-oauth-client.json. As long as the consent screen is in state "Testing", tokens end after seven days.',
  ],
  arguments: {},
  options: {
    oauthClient: {
      long: '--oauth-client',
      value: 'file',
      parse: path,
      initial: path(DEFAULT_OAUTH_CLIENT),
      fallback: DEFAULT_OAUTH_CLIENT,
      completes: 'file',
      description: 'The JSON file of the OAuth client; if it is another one, gs:// needs the backend option oauth-client=FILE',
    },
    noBrowser: { long: '--no-browser', description: 'Do not start a browser: only print the address to open' },
    ...logOptions('none'),
    ...outputOptions,
  },
};
