import { CoachError } from '../../../protocol/errors.ts';
import { delay } from '../../base/clock.ts';
import type { ProxyLaunch } from '../../proxy/proxy.ts';
import { errorMessageOf } from '../../traces/dialects/dialect.ts';
import { dialectNamed } from '../../traces/dialects/index.ts';
import { parseJson } from '../../traces/json.ts';
import type { JudgeProvider } from './providers.ts';
import type { Question } from './question.ts';

export interface AskedModel {
  readonly name: string;
  readonly provider: JudgeProvider;
  readonly model: string;
}

const maxTries = 4;
const answerWithinMs = 300_000;
const passing: ReadonlySet<number> = new Set([408, 409, 425, 429, 500, 502, 503, 504, 529]);

/**
 * Asks a model through the base URL of a launch, which puts in the real key, records and counts. What may pass is asked
 * again, after `pauseMs`, then four times as long.
 * @returns the text of its answer; empty when it gave none
 * @throws CoachError `judge.failed`
 */
export async function askModel(
  { name, provider, model }: AskedModel,
  question: Question,
  launch: ProxyLaunch,
  pauseMs: number,
  signal: AbortSignal,
): Promise<string> {
  const body = JSON.stringify(provider.body(model, question));
  for (let number = 1; ; number++) {
    const answer = await post(`${launch.launch.baseUrl}/${provider.path}`, provider, body, signal);
    if (answer.kind === 'text') return textOf(provider, answer.text);
    const refusal = launch.refusal();
    if (refusal !== null) throw judgeFailed(name, refusal);
    if (!answer.mayPass || number === maxTries) throw judgeFailed(name, answer.why);
    await delay(pauseMs * 4 ** (number - 1), signal);
  }
}

type Answer =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'failed'; readonly why: string; readonly mayPass: boolean };

async function post(url: string, provider: JudgeProvider, body: string, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...provider.headers },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]),
    });
    const text = await response.text();
    if (response.ok) return { kind: 'text', text };
    const why = errorMessageOf(parseJson(text)) ?? 'no reason given';
    return { kind: 'failed', why: `HTTP ${response.status}: ${why}`, mayPass: passing.has(response.status) };
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'failed', why: error instanceof Error ? error.message : String(error), mayPass: true };
  }
}

function textOf(provider: JudgeProvider, body: string): string {
  const said = dialectNamed(provider.dialect)?.answered(parseJson(body)) ?? [];
  return said
    .filter(({ kind }) => kind === 'assistant')
    .map(({ text }) => text)
    .join('\n');
}

function judgeFailed(name: string, why: string): CoachError {
  return new CoachError('judge.failed', `The judge ${name} could not be asked: ${why}`, {
    hint: 'The trial’s work is kept. Go on with runs resume, or judge it again with runs regrade.',
  });
}
