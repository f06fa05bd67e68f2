import { TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ModelRecord } from '../../../preload/contract/index.ts';
import { modelKey } from '../../state/models.ts';
import { formatCount, visible } from '../../ui/format.ts';
import { useStudio } from '../studioContext.ts';
import classes from './TokenizerTab.module.css';
import tabs from './tabs.module.css';
import { Loaded } from '../Loaded.tsx';

/** How the model's tokenizer cuts a text, and its chat template. */
export function TokenizerTab({ record }: { record: ModelRecord }) {
  const { models } = useStudio();
  const key = modelKey(record);
  const [text, setText] = useState('The little robot said hello.');
  const [asked] = useDebouncedValue(text, 200);
  const tokens = useQuery({
    queryKey: ['tokenize', key, asked],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => models.tokenize(key, { kind: 'completion', text: asked }, signal),
  });
  const facts = useQuery({ queryKey: ['facts', key], queryFn: () => models.facts(key) });
  return (
    <>
      <div className={tabs.block}>
        <TextInput
          label="Try a text"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Loaded query={tokens}>
          {(list) => (
            <>
              <div className={classes.tokens}>
                {list.map((token, index) => (
                  // The same token may come twice: its place is what tells it apart.
                  // oxlint-disable-next-line react/no-array-index-key
                  <span key={index} title={`id ${token.id} · bytes ${token.bytes.join(' ')}`}>
                    {visible(token.text)}
                  </span>
                ))}
              </div>
              {list.length} of {formatCount(record.vocabularySize)} tokens
            </>
          )}
        </Loaded>
      </div>
      <Loaded query={facts}>
        {({ chatTemplate }) => (
          <div className={tabs.block}>
            <h3>Chat template</h3>
            {chatTemplate === null ? (
              'None: this model completes text.'
            ) : (
              <pre className={tabs.code}>{chatTemplate}</pre>
            )}
          </div>
        )}
      </Loaded>
    </>
  );
}
