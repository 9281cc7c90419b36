import * as l10n from '@vscode/l10n';
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
  if (server === 'starting') shown.push(note('warning', l10n.t('Reconnecting to the background server.'), kept));
  else if (server === 'down') {
    const again = button({ primary: true, onClick: restart }, l10n.t('Restart'));
    shown.push(note('error', l10n.t('The background server is not running.'), kept, again));
  }
  if (fault !== null) shown.push(note('error', l10n.t('That did not work.'), fault));
  return shown;
}
