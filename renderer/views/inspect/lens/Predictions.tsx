import { useMemo } from 'react';
import type { Capture, Prediction } from '../../../../preload/contract/index.ts';
import { probabilityShade } from '../../../charts/probability.ts';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { toCsv } from '../../../ui/save.ts';
import { usePart, useStudio } from '../../studioContext.ts';
import { fileName, formatFigure } from '../parts/figures.ts';
import { ShadeScale } from '../parts/ShadeScale.tsx';
import { TokenText, type Piece } from '../parts/TokenText.tsx';
import parts from '../parts/parts.module.css';
import classes from './Lens.module.css';

interface PredictionsProps {
  capture: Capture;
  predictions: readonly Prediction[];
}

/** The text, each token coloured by how probable the model found it. */
export function Predictions({ capture, predictions }: PredictionsProps) {
  const { inspect } = useStudio();
  const position = usePart(inspect.store, (state) => state.position);
  const { tokens } = capture;
  const pieces = useMemo(
    () =>
      tokens.map(({ text }, index): Piece => {
        // What is said behind a token is about the one that follows.
        const logprob = predictions[index - 1]?.logprob ?? null;
        return { text, shade: logprob === null ? undefined : `p${probabilityShade(logprob)}` };
      }),
    [tokens, predictions],
  );
  const logprobs = predictions.flatMap(({ logprob }) => (logprob === null ? [] : [logprob]));
  const mean = logprobs.reduce((sum, value) => sum + value, 0) / Math.max(1, logprobs.length);
  return (
    <section aria-label="Predictions" className={classes.section}>
      <div className={parts.tools} data-inside>
        <h2>Predictions</h2>
        {logprobs.length > 0 && (
          <span className={classes.note} style={{ margin: 0 }}>
            mean {formatFigure(-mean)} nats per token, perplexity {formatFigure(Math.exp(-mean))}{' '}
            over {logprobs.length} tokens
          </span>
        )}
        <span className={parts.end}>
          <ShadeScale
            caption="probability"
            shades={Array.from({ length: 9 }, (_, at) => `p${at}`)}
            from="0.001"
            to="1"
          />
          <SaveMenu
            label="Save the predictions"
            name={fileName(capture.model, 'predictions')}
            csv={() => csvOf(capture, predictions)}
            json={() => tokens.map((token, index) => ({ token, ...predictions[index] }))}
          />
        </span>
      </div>
      <TokenText
        label="Tokens by probability"
        pieces={pieces}
        cursor={position}
        onCursor={(at) => inspect.setPosition(at)}
      />
    </section>
  );
}

const csvOf = ({ tokens }: Capture, predictions: readonly Prediction[]): string =>
  toCsv(
    ['position', 'token', 'next_logprob', 'entropy_bits', 'top', 'top_logprob'],
    tokens.map(({ text }, index) => {
      const { logprob = null, entropy = null, alternatives = [] } = predictions[index] ?? {};
      const [top] = alternatives;
      return [index, text, logprob, entropy, top?.text ?? null, top?.logprob ?? null];
    }),
  );
