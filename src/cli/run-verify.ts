/** s3ql_verify: what it does around the verification itself. */
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import type { Interaction } from '../util/interaction.ts';
import { EXIT_OBJECTS_DAMAGED, EXIT_OK } from './exit-codes.ts';
import { DEFAULT_COMPRESSION } from './options/mount.ts';
import { verifySpec, type VerifyCommandOptions } from './options/verify.ts';
import { openCommandOutput } from './output.ts';
import { parseCommand } from './parse-command.ts';
import { InterruptedError } from './report-error.ts';
import { abortOnInterrupt } from './run-mkfs.ts';
import { SecretReader } from './secret-reader.ts';
import { ensureCachedir, storageSettings, type StorageSettings } from './storage-settings.ts';

export interface VerifyRequest extends VerifyCommandOptions {
  readonly compress: CompressionSpec;
  readonly storage: StorageSettings;
}

export interface VerifySummary {
  readonly verifiedCount: number;
  readonly missingCount: number;
  readonly corruptedCount: number;
  /** Only if something had to be repaired. */
  readonly repair?: RepairSummary;
}

export interface RepairSummary {
  /** Objects that are in the store again. */
  readonly storedAgainCount: number;
  /** Objects that are not to be had any more. */
  readonly lostCount: number;
  /** Files that lack something now; they are in lost+found. */
  readonly damagedFileCount: number;
}

/** The command. Returns its exit code. */
export async function runVerify(
  argv: readonly string[],
  verifyFileSystem: (request: VerifyRequest, interaction: Interaction) => Promise<VerifySummary>,
): Promise<number> {
  const options = parseCommand(verifySpec, argv);
  using output = await openCommandOutput(options, verifySpec.program);
  const secrets = new SecretReader();
  const storage = await storageSettings(options, secrets);
  ensureCachedir(storage.cachedir);
  using interrupt = abortOnInterrupt();
  const { signal } = interrupt;
  try {
    const summary = await verifyFileSystem(
      { ...options, storage, compress: storage.compress ?? DEFAULT_COMPRESSION },
      { progress: output.progress, signal, askSecret: (question) => secrets.ask(question, signal) },
    );
    process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : summaryText(summary));
    const { missingCount, corruptedCount } = summary;
    return missingCount + corruptedCount > 0 ? EXIT_OBJECTS_DAMAGED : EXIT_OK;
  } catch (error) {
    throw signal.aborted ? new InterruptedError({ cause: error }) : error;
  }
}

function summaryText({ verifiedCount, missingCount, corruptedCount, repair }: VerifySummary): string {
  const found = `Verified ${verifiedCount} objects: ${missingCount} missing, ${corruptedCount} damaged.\n`;
  if (repair === undefined) return found;
  const { storedAgainCount, lostCount, damagedFileCount } = repair;
  const again = `Stored again from the cache: ${storedAgainCount} objects.\n`;
  const lost = lostCount === 0 ? '' : `Lost: ${lostCount} objects; ${damagedFileCount} files that lack parts now are in /lost+found.\n`;
  return `${found}${again}${lost}`;
}
