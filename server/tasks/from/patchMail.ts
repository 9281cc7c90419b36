import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryScratch } from '../../base/owner.ts';
import { git, gitText } from '../../git/git.ts';
import type { GitStore } from '../../git/store.ts';
import { toWords, type Words } from './commitMessage.ts';

/** One patch of a file, in its order. */
export interface PatchPart {
  readonly words: Words;
  readonly patch: Buffer;
}

const mailStart =
  /^(?:From [0-9a-f]{40} |(?:From|Subject|Date|Message-ID|Received|Return-Path|MIME-Version|Delivered-To): )/i;

/**
 * The patches of a file: each mail of `git format-patch` or of a mailbox with its message, or one plain diff without any.
 * A mail without a patch, such as a cover letter, has an empty one.
 */
export async function patchParts(file: Buffer, store: GitStore, signal: AbortSignal): Promise<PatchPart[]> {
  if (!mailStart.test(file.subarray(0, 2000).toString('latin1')))
    return [{ words: { title: '', body: '' }, patch: file }];
  const scratch = await temporaryScratch('mail');
  try {
    const mails = join(scratch, 'mails');
    await mkdir(mails);
    // Line ends belong to the patched files, so they stay as they are.
    await git(['mailsplit', '--keep-cr', '-b', `-o${mails}`], { ...store, stdin: file }, signal);
    const parts: PatchPart[] = [];
    for (const name of (await readdir(mails)).sort()) {
      parts.push(await readMail(join(mails, name), join(scratch, name), store, signal));
    }
    return parts;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function readMail(mail: string, target: string, store: GitStore, signal: AbortSignal): Promise<PatchPart> {
  const [message, patch] = [`${target}.message`, `${target}.patch`];
  const args = ['mailinfo', '--encoding=UTF-8', '--no-scissors', message, patch];
  const head = await gitText(args, { ...store, stdin: await readFile(mail) }, signal);
  const subject = /^Subject: (.*)$/m.exec(head)?.[1] ?? '';
  const content = await readFile(patch);
  const body = (await readFile(message, 'utf8')).trim();
  const hasPatch = /^(?:diff --git |--- )/m.test(content.toString('latin1'));
  const text = hasPatch ? body : letterOf(`${body}\n${content.toString()}`);
  return { words: toWords(`${subject}\n\n${text}`), patch: hasPatch ? content : Buffer.alloc(0) };
}

/** A cover letter without the list of commits and the numbers that git adds below it. */
function letterOf(text: string): string {
  return (
    text
      .split(/^(?:[^\n]+ \(\d+\):\n {2}|-- \n| [^\n]+\| +\d+ [+-]*$)/m)[0]
      ?.replaceAll(/^\*\*\* (?:SUBJECT|BLURB) HERE \*\*\*$/gm, '')
      .trim() ?? ''
  );
}
