/** What a new file of questions has: both kinds of questions, to be replaced. Does not use VS Code. */

/** Both kinds of questions. It is read as it is, so that the first run works before anything was changed. */
export const TEMPLATE = `${JSON.stringify(
  {
    title: 'My questions',
    note: 'Replace these by questions that your application is asked. Coppice ignores notes.',
    items: [
      {
        note: 'The model takes the choice that it finds most likely after the context.',
        context: 'The sun rises in the',
        choices: ['east', 'west', 'kitchen'],
        answer: 'east',
      },
      {
        note: 'The model writes; what it writes is compared with what is expected.',
        prompt: 'Two and two is',
        expected: 'four',
      },
    ],
  },
  undefined,
  2,
)}\n`;
