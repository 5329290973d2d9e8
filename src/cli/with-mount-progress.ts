/** Tools wait for a mount to do something: what it tells of its progress is shown meanwhile. */
import type { ControlFile } from './control-file.ts';
import { MountEventsListener } from './mount-events.ts';
import type { Output } from './output.ts';

/** Runs the action. `listener` is undefined for mounts that cannot be heard: those of S3QL itself, or out of reach. */
export async function withMountProgress<T>(
  control: ControlFile,
  { display }: Pick<Output, 'display'>,
  action: (listener: MountEventsListener | undefined) => Promise<T>,
): Promise<T> {
  const path = await control.eventsPath();
  using listener = path === undefined ? undefined : await MountEventsListener.connect(path, display);
  return await action(listener);
}
