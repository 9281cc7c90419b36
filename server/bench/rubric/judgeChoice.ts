import { CoachError } from '../../../protocol/errors.ts';
import { type JudgeProvider, judgeProviders } from './providers.ts';

/** Who judges rubrics: nobody, a model, or the recorded answers of one. */
export type JudgeChoice =
  | { readonly kind: 'none' }
  | { readonly kind: 'model'; readonly name: string; readonly provider: JudgeProvider; readonly model: string }
  | { readonly kind: 'replay'; readonly name: string; readonly place: string };

export interface JudgeSettings {
  /** As `parseJudge` takes it. */
  readonly judge: string;
  /** Answers asked for per criterion; odd, so that there is a majority. */
  readonly votes: number;
}

const replayPrefix = 'replay:';

/**
 * A judge as it is written: `openai/gpt-5.5`, `anthropic/claude-sonnet-4-5`, `chat/<model>`, `replay:<file, directory or
 * session:<id>>`; `none` or nothing for no judge.
 * @throws CoachError `input.invalid`
 */
export function parseJudge(name: string): JudgeChoice {
  if (name === '' || name === 'none') return { kind: 'none' };
  if (name.startsWith(replayPrefix)) return { kind: 'replay', name, place: name.slice(replayPrefix.length) };
  const slash = name.indexOf('/');
  const provider = judgeProviders.find(({ id }) => id === name.slice(0, slash));
  const model = name.slice(slash + 1);
  if (provider !== undefined && model !== '') return { kind: 'model', name, provider, model };
  throw new CoachError('input.invalid', `${JSON.stringify(name)} is no judge.`, {
    hint: `Write ${judgeProviders.map(({ id }) => `${id}/<model>`).join(', ')}, replay:<recorded answers> or none.`,
  });
}

/** @throws CoachError `input.invalid` */
export function requireOddVotes(votes: number): number {
  if (votes % 2 === 1 && votes > 0 && votes <= 15) return votes;
  throw new CoachError('input.invalid', `${votes} votes per criterion can't be asked for.`, {
    hint: 'Give an odd number from 1 to 15: an even one may leave no majority.',
  });
}

/** @throws CoachError `agent.noKey` */
export function requireJudgeKey(
  choice: JudgeChoice,
  keys: Readonly<Record<string, string | undefined>>,
): string | null {
  if (choice.kind !== 'model') return null;
  const key = keys[choice.provider.keyName];
  if (key) return key;
  throw new CoachError(
    'agent.noKey',
    `The judge ${choice.name} needs a key, and ${choice.provider.keyName} is not set.`,
    {
      hint: `Put ${choice.provider.keyName}=… into the environment or into .env at the repository root, or run with --judge none.`,
    },
  );
}
