import type { ServerState } from '../../protocol/pages.ts';
import type { View } from './element.ts';
import { note } from './layout.ts';
import { button } from './toolkit.ts';

/** What a page says while its server is away, and what went wrong last. `kept`: what is safe meanwhile. */
export function serverNotes(
  { server, fault }: { readonly server: ServerState; readonly fault: string | null },
  kept: string,
  restart: () => void,
): View[] {
  const shown: View[] = [];
  if (server === 'starting') shown.push(note('warning', 'Reconnecting to the background server.', kept));
  else if (server === 'down') {
    const again = button({ primary: true, onClick: restart }, 'Restart');
    shown.push(note('error', 'The background server is not running.', kept, again));
  }
  if (fault !== null) shown.push(note('error', 'That did not work.', fault));
  return shown;
}
