/** What s3qladm can do, by name. */
import type { AdminAction, AdminActionName } from '../../cli/run-adm.ts';
import { changePassphrase } from './change-passphrase.ts';
import { clearStore } from './clear-store.ts';
import { cloneStore } from './clone-store.ts';
import { recoverKey } from './recover-key.ts';
import { restoreMetadata } from './restore-metadata.ts';
import { showInfo } from './show-info.ts';
import { shrinkDatabase } from './shrink-database.ts';
import { upgrade } from './upgrade.ts';

export const ADMIN_ACTIONS: Readonly<Record<AdminActionName, AdminAction>> = {
  passphrase: changePassphrase,
  'recover-key': recoverKey,
  clear: clearStore,
  'shrink-db': shrinkDatabase,
  upgrade,
  'restore-metadata': restoreMetadata,
  info: showInfo,
  clone: cloneStore,
};
