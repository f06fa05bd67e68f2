import { useState } from 'react';
import type { TokenText } from '../../../../preload/contract/index.ts';
import { formatCount, visible } from '../../../ui/format.ts';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { toCsv } from '../../../ui/save.ts';
import { Figures } from '../parts/Figures.tsx';
import { fileName, formatProbability } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import { Pages, pageSize } from './Pages.tsx';
import classes from './tokenizer.module.css';

type Token = TokenText['tokens'][number];

/** Every token with its id and bytes, and what that comes to. */
export function Cut({ cut }: { cut: TokenText }) {
  const [page, setPage] = useState(0);
  const { tokens, model } = cut;
  const start = Math.min(page, Math.max(0, Math.ceil(tokens.length / pageSize) - 1)) * pageSize;
  return (
    <section className={parts.section} aria-label="Tokens">
      <div className={parts.head}>
        <h2>Tokens</h2>
        <span>{model}</span>
        <span className={parts.end}>
          <Pages count={tokens.length} start={start} onPage={setPage} />
          <SaveMenu
            label="Save the tokens"
            name={fileName(model, 'tokens')}
            csv={() => csvOf(tokens)}
            json={() => cut}
          />
        </span>
      </div>
      <CutFigures cut={cut} />
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
      <section className={classes.cards} tabIndex={0} aria-label="Tokens with ids and bytes">
        {tokens.slice(start, start + pageSize).map((token, index) => (
          // The same token may come twice: its place is what tells it apart.
          // oxlint-disable-next-line react/no-array-index-key
          <Card key={index} token={token} isOdd={index % 2 === 1} />
        ))}
      </section>
      {tokens.some(({ fallback }) => fallback !== null) && (
        <p className={parts.note}>
          <span className={classes.mark} data-fallback="byte" /> a piece of a character that the
          vocabulary lacks <span className={classes.mark} data-fallback="unknown" /> stands for what
          it cannot express
        </p>
      )}
    </section>
  );
}

function Card({ token, isOdd }: { token: Token; isOdd: boolean }) {
  const { id, text, bytes, fallback } = token;
  return (
    <span
      className={classes.card}
      data-odd={isOdd || undefined}
      data-fallback={fallback ?? undefined}
    >
      <span>{visible(text)}</span>
      <span>{id}</span>
      <span>{hexOf(bytes)}</span>
    </span>
  );
}

/** Bytes as pairs of digits; of long ones the first. */
const hexOf = (bytes: readonly number[]): string => {
  const pairs = bytes.slice(0, 8).map((byte) => byte.toString(16).padStart(2, '0'));
  return bytes.length > 8 ? `${pairs.join(' ')} …` : pairs.join(' ');
};

function CutFigures({ cut }: { cut: TokenText }) {
  const { tokens, bytes, words, tokensPerWord, tokensPerByte, vocabularySize } = cut;
  const { used, once, unused } = cut;
  const fallbacks = tokens.filter(({ fallback }) => fallback === 'byte').length;
  const unknown = tokens.filter(({ fallback }) => fallback === 'unknown').length;
  const perWord = tokensPerWord === null ? null : tokensPerWord.toFixed(2);
  return (
    <Figures
      label="The tokens in figures"
      figures={[
        {
          name: 'Tokens',
          explanation: `Of ${formatCount(bytes)} bytes and ${formatCount(words)} words.`,
          value: formatCount(tokens.length),
        },
        {
          name: 'Tokens per word',
          explanation: `Fertility, over ${formatCount(words)} words: how finely words are cut.`,
          value: perWord,
        },
        {
          name: 'Tokens per byte',
          explanation: `Over ${formatCount(bytes)} bytes of UTF-8.`,
          value: tokensPerByte === null ? null : tokensPerByte.toFixed(3),
        },
        {
          name: 'Used',
          explanation: `Different tokens in this text, of a vocabulary of ${formatCount(vocabularySize)}.`,
          value: `${formatCount(used)} (${formatProbability(used / Math.max(1, vocabularySize))})`,
        },
        {
          name: 'Once',
          explanation: 'Tokens that occur exactly once in this text.',
          value: formatCount(once),
        },
        {
          name: 'Unused',
          explanation: 'Tokens of the vocabulary that do not occur in this text.',
          value: formatCount(unused),
        },
        {
          name: 'Byte fallback',
          explanation: 'Tokens that are a piece of a character.',
          value: formatCount(fallbacks),
        },
        {
          name: 'Unknown',
          explanation: 'Tokens that stand for what the vocabulary cannot express.',
          value: formatCount(unknown),
        },
      ]}
    />
  );
}

const csvOf = (tokens: readonly Token[]): string =>
  toCsv(
    ['index', 'id', 'text', 'bytes', 'fallback'],
    tokens.map(({ id, text, bytes, fallback }, index) => [
      index,
      id,
      text,
      bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
      fallback,
    ]),
  );
