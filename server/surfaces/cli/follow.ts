import type { Command } from 'commander';
import { call, methodOf } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { noFigure, toLatency, toMoney } from '../../../protocol/figures.ts';
import { latest as latestSession, leastOfId } from '../../../protocol/ids.ts';
import { type Exchange, sessions } from '../../../protocol/sessions.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { delay } from '../../base/clock.ts';
import { statusWord, usageWords } from './sessionWords.ts';
import { shortExchangeId } from './shortIds.ts';
import type { Terminal } from './terminal.ts';

/** How often the server is asked. It is asked for what a cursor has not seen, so that its restart loses nothing. */
const pollMs = 500;

export type FollowChannel = Pick<Channel, 'request'> & { dispose(): void };

interface FollowOptions {
  readonly session?: string;
  readonly json?: boolean;
}

/** Adds `sessions follow`, which prints exchanges as they happen until Ctrl-C. */
export function addFollowCommand(group: Command, terminal: Terminal, connect: () => FollowChannel): Command {
  group
    .command('follow')
    .description('Print exchanges as they happen, until Ctrl-C.')
    .option('--session <id>', 'Only of this session: its id, 4 or more characters of its beginning, or latest')
    .option('--json', 'One line of JSON per exchange')
    .action(async (options: FollowOptions) => {
      const channel = connect();
      try {
        await follow(channel, options, terminal);
      } finally {
        channel.dispose();
      }
    });
  return group;
}

/** Answers when the terminal's signal is given: to be interrupted is how it ends well. */
export async function follow(
  channel: Pick<Channel, 'request'>,
  { session: given, json }: FollowOptions,
  terminal: Pick<Terminal, 'print' | 'note' | 'signal'>,
): Promise<void> {
  if (given === '') throw noSession();
  const { signal } = terminal;
  let session = given;
  let cursor: number | undefined;
  let isWaiting = false;
  while (!signal.aborted) {
    try {
      const page = await latest(
        channel,
        {
          ...(cursor === undefined ? {} : { after: cursor }),
          ...(session === undefined ? {} : { sessionId: session }),
        },
        signal,
      );
      if (cursor === undefined) {
        const { note, wholeId } = await beginning(channel, session, signal);
        terminal.note(note);
        session = wholeId;
      }
      cursor = page.next;
      // What was a beginning, or the latest, may soon be that of another session too.
      if (session !== undefined) session = page.rows[0]?.sessionId ?? session;
      isWaiting = false;
      for (const exchange of page.rows) terminal.print(json ? JSON.stringify(exchange) : exchangeLine(exchange));
      if (page.rows.length > 0) continue;
    } catch (error) {
      if (signal.aborted) return;
      if (CoachError.from(error).code !== 'server.unreachable') throw error;
      if (!isWaiting) terminal.note('The background server is away; waiting for it.');
      isWaiting = true;
    }
    await delay(pollMs, signal).catch(() => undefined);
  }
}

/** As a script gives it whose variable is not set: it would wait for ever. */
function noSession(): CoachError {
  return new CoachError('input.invalid', '--session "": expected something that is not empty.', {
    hint: 'Give the id of a session, or leave --session out for all of them.',
  });
}

/** What is followed may be yet to come: an agent can be told the id of its session beforehand. */
async function beginning(channel: Pick<Channel, 'request'>, session: string | undefined, signal: AbortSignal) {
  const following = 'Following. Ctrl-C ends.';
  if (session === undefined) return { note: following, wholeId: undefined };
  const [first] = (await latest(channel, { after: 0, sessionId: session }, signal)).rows;
  if (first !== undefined) return { note: following, wholeId: first.sessionId };
  if (session.length < leastOfId) throw tooShort(session);
  const what = session === latestSession ? 'Nothing' : `Nothing of session ${visible(session)}`;
  return { note: `${what} is recorded yet; following until it comes. Ctrl-C ends.`, wholeId: session };
}

function tooShort(session: string): CoachError {
  return new CoachError('input.invalid', `--session ${session}: no id, and too short for the beginning of one.`, {
    hint: `Give at least ${leastOfId} characters of it. See: codex-coach sessions list`,
  });
}

function latest(channel: Pick<Channel, 'request'>, params: object, signal: AbortSignal) {
  return call(channel as Channel, methodOf('sessions', 'latest'), sessions.members.latest, params, signal);
}

function exchangeLine(exchange: Exchange): string {
  const time = new Date(exchange.startedAt).toTimeString().slice(0, 8);
  return [
    time,
    // As much of it as `sessions events` and `sessions changes` need, and the session whole: commands take them as they are.
    visible(shortExchangeId(exchange.id)),
    visible(exchange.sessionId),
    visible(exchange.model ?? exchange.upstreamHost),
    statusWord(exchange, 'no reply'),
    usageWords(exchange.usage),
    toMoney(exchange.cost),
    exchange.timeToFirstByteMs === null ? noFigure : `first byte ${toLatency(exchange.timeToFirstByteMs)}`,
    toLatency(exchange.durationMs),
    ...(exchange.error === null ? [] : [`ERROR ${visible(exchange.error).slice(0, 200)}`]),
  ].join('  ');
}
