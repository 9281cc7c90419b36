import * as vscode from 'vscode';
import { CoachError } from '../../protocol/errors.ts';
import type { SearchHit } from '../../protocol/sessions.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Coach } from '../coach.ts';
import { commandId } from '../contributions.ts';

/** A pause in typing after which the words are looked for. */
const pauseMs = 200;
const mostHits = 50;

type HitItem = vscode.QuickPickItem & { readonly hit: SearchHit };

/** Looks for words in all that was said in recorded sessions, while they are typed. Choosing a hit shows its session. */
export async function searchSessions(coach: Coach): Promise<void> {
  const chosen = await chooseHit(coach);
  if (chosen === undefined) return;
  const { session } = await coach.api.sessions.summary({ sessionId: chosen.sessionId });
  await vscode.commands.executeCommand(commandId('openSession'), { kind: 'session', session });
}

async function chooseHit(coach: Coach): Promise<SearchHit | undefined> {
  const pick = vscode.window.createQuickPick<HitItem>();
  pick.title = vscode.l10n.t('Search Sessions');
  pick.placeholder = vscode.l10n.t('Words that were said: all of them are looked for');
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  let timer: NodeJS.Timeout | undefined;
  let asked = new AbortController();
  const look = async (words: string[]) => {
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    pick.busy = true;
    try {
      const { hits } = await coach.api.sessions.search({ words, limit: mostHits }, signal);
      if (!signal.aborted) pick.items = hits.map(toItem);
    } catch (error) {
      const fault = CoachError.from(error);
      if (fault.code !== 'cancelled') coach.log.warn(`Searching sessions: ${fault.message}`);
      // Those of other words would be taken for the answer.
      if (!signal.aborted) pick.items = [];
    } finally {
      if (!signal.aborted) pick.busy = false;
    }
  };
  const subscription = pick.onDidChangeValue(value => {
    clearTimeout(timer);
    const words = value.split(/\s+/).filter(Boolean);
    if (words.length === 0) {
      asked.abort();
      pick.busy = false;
      pick.items = [];
    } else timer = setTimeout(() => void look(words), pauseMs);
  });
  try {
    return await new Promise<SearchHit | undefined>(settle => {
      pick.onDidAccept(() => settle(pick.selectedItems[0]?.hit));
      pick.onDidHide(() => settle(undefined));
      pick.show();
    });
  } finally {
    clearTimeout(timer);
    asked.abort();
    subscription.dispose();
    pick.dispose();
  }
}

function toItem(hit: SearchHit): HitItem {
  return {
    label: visible(hit.title || hit.sessionId),
    description: new Date(hit.at).toLocaleString(),
    detail: visible(hit.snippet.replaceAll(/\s+/g, ' ')),
    // The server found it; what it found by need not stand in the label.
    alwaysShow: true,
    hit,
  };
}
