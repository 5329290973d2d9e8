/** s3ql_oauth_client. */
import { runOauthClient } from '../cli/run-oauth-client.ts';

export function run(argv: readonly string[]): Promise<number> {
  return runOauthClient(argv);
}
