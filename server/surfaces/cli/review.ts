import type { Command } from 'commander';
import { requestsOf } from '../../../protocol/api.ts';
import { reviews } from '../../../protocol/reviews.ts';
import { addDerivedCommand, type DerivedContext } from './derived.ts';

/** `codex-coach review comment add|list|edit|resolve|remove|to-criterion …` */
export function addReviewCommands(program: Command, context: DerivedContext): void {
  const comment = program
    .command('review')
    .description('What people say about trials')
    .command('comment')
    .description('Comments on lines of a trial’s change');
  for (const [name, spec] of requestsOf(reviews)) {
    if (spec.expose.includes('cli')) addDerivedCommand(comment, 'review comment', name, spec, context, reviews.name);
  }
}
