/** What the mutator must know of a language: how its text splits into tokens, and what its operators are called. */
export interface Language {
  readonly name: 'script' | 'python' | 'go';
  readonly extension: RegExp;
  /** Comments, then strings, then the rest; tried in this order. */
  readonly comment: RegExp;
  readonly string: RegExp;
  /** Longest first. */
  readonly punctuation: RegExp;
  /** Whether `/` may begin a regular expression. */
  readonly hasRegex: boolean;
  readonly comparisons: Readonly<Record<string, string>>;
  readonly booleans: Readonly<Record<string, string>>;
  readonly arithmetic: Readonly<Record<string, string>>;
  /** What a returned value is replaced by; null where that would not compile. */
  readonly nothing: string | null;
  readonly keywords: ReadonlySet<string>;
}

const order = { '<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=', '!=': '==' };
const sums = { '+': '-', '-': '+', '*': '/', '/': '*', '%': '*', '+=': '-=', '-=': '+=' };

const script: Language = {
  name: 'script',
  extension: /(?<!\.d)\.[cm]?[jt]sx?$/,
  comment: /\/\/[^\n]*|\/\*[\s\S]*?\*\//y,
  string: /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`/y,
  punctuation:
    />>>=|===|!==|\*\*=|\.\.\.|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.|\+\+|--|\+=|-=|\*=|\/=|%=|\*\*|<<|>>|[^\s\w]/y,
  hasRegex: true,
  comparisons: { ...order, '===': '!==', '!==': '===' },
  booleans: { '&&': '||', '||': '&&', true: 'false', false: 'true' },
  arithmetic: sums,
  nothing: 'undefined',
  keywords: new Set(
    'return typeof case in of new delete void throw await yield else do instanceof import export from'.split(' '),
  ),
};

const python: Language = {
  name: 'python',
  extension: /\.py$/,
  comment: /#[^\n]*/y,
  string: /[rbfuRBFU]{0,2}(?:"""[\s\S]*?"""|'''[\s\S]*?'''|'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*")/y,
  punctuation: /\*\*=|\/\/=|\*\*|\/\/|->|:=|==|!=|<=|>=|\+=|-=|\*=|\/=|%=|<<|>>|[^\s\w]/y,
  hasRegex: false,
  comparisons: order,
  booleans: { and: 'or', or: 'and', True: 'False', False: 'True' },
  arithmetic: { ...sums, '//': '*' },
  nothing: 'None',
  keywords: new Set(
    'return and or not in is if elif else lambda yield assert import from for while del raise'.split(' '),
  ),
};

const go: Language = {
  name: 'go',
  extension: /\.go$/,
  comment: /\/\/[^\n]*|\/\*[\s\S]*?\*\//y,
  string: /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+'/y,
  punctuation: /&\^=|\.\.\.|<<=|>>=|:=|<-|==|!=|<=|>=|&&|\|\||\+\+|--|\+=|-=|\*=|\/=|%=|<<|>>|&\^|[^\s\w]/y,
  hasRegex: false,
  comparisons: order,
  booleans: { '&&': '||', '||': '&&', true: 'false', false: 'true' },
  arithmetic: sums,
  nothing: null,
  keywords: new Set('return case go defer range else func var const import package'.split(' ')),
};

const languages = [script, python, go] as const;

/** The language of a source file that faults can be planted in; null for all others. */
export function languageOf(path: string): Language | null {
  return languages.find(language => language.extension.test(path)) ?? null;
}
