import { useMemo, useState } from 'react';
import type { TokenText } from '../../../../preload/contract/index.ts';
import { alignTokens } from '../../../state/alignment.ts';
import { formatCount, visible } from '../../../ui/format.ts';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { toCsv } from '../../../ui/save.ts';
import { fileName, formatProbability } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import { Pages, pageSize } from './Pages.tsx';
import classes from './tokenizer.module.css';

interface SideBySideProps {
  text: string;
  first: TokenText;
  second: TokenText;
}

/** Two cuts of one text above each other, joined where both end a token. */
export function SideBySide({ text, first, second }: SideBySideProps) {
  const [page, setPage] = useState(0);
  const segments = useMemo(
    () => alignTokens(text, first.tokens, second.tokens),
    [text, first, second],
  );
  const start = Math.min(page, Math.max(0, Math.ceil(segments.length / pageSize) - 1)) * pageSize;
  const same = segments.filter((segment) => segment.same).length;
  return (
    <section className={parts.section} aria-label="Two tokenizers">
      <div className={parts.head}>
        <h2>Two tokenizers</h2>
        <span className={parts.end}>
          <Pages count={segments.length} start={start} onPage={setPage} />
          <SaveMenu
            label="Save both cuts"
            name={fileName(first.model, second.model, 'tokens')}
            csv={() => csvOf(first, second, segments)}
          />
        </span>
      </div>
      <p className={parts.sentence}>
        {first.model} makes {formatCount(first.tokens.length)} tokens of this text, {second.model}{' '}
        {formatCount(second.tokens.length)};{' '}
        {segments.length > 0 && formatProbability(same / segments.length)} of the stretches between
        shared boundaries are one token in both.
      </p>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
      <section className={classes.segments} tabIndex={0} aria-label="Both cuts">
        {segments.slice(start, start + pageSize).map((segment, index) => (
          // Segments have no names: their place tells them apart.
          // oxlint-disable-next-line react/no-array-index-key
          <span key={index} className={classes.segment} data-same={segment.same || undefined}>
            <Row tokens={first.tokens.slice(...segment.first)} />
            <Row tokens={second.tokens.slice(...segment.second)} />
          </span>
        ))}
      </section>
      <p className={parts.note}>
        Above {first.model}, below {second.model}; shaded where they cut differently.
      </p>
    </section>
  );
}

function Row({ tokens }: { tokens: TokenText['tokens'] }) {
  return (
    <span className={classes.row}>
      {tokens.map(({ id, text }, index) => (
        // oxlint-disable-next-line react/no-array-index-key
        <span key={index} title={`id ${id}`}>
          {visible(text)}
        </span>
      ))}
    </span>
  );
}

function csvOf(
  first: TokenText,
  second: TokenText,
  segments: ReturnType<typeof alignTokens>,
): string {
  return toCsv(
    [first.model, second.model, 'same'],
    segments.map((segment) => [
      textOf(first.tokens.slice(...segment.first)),
      textOf(second.tokens.slice(...segment.second)),
      segment.same ? 1 : 0,
    ]),
  );
}

const textOf = (tokens: TokenText['tokens']): string => tokens.map(({ text }) => text).join('|');
