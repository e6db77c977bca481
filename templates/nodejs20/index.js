const functions = require('@google-cloud/functions-framework');

functions.http('Example', (req, res) => {
  const { name } = req.query;
  if (!name) {
    res.status(400).json({ error: 'the query parameter "name" is missing' });
    return;
  }
  res.json({ greeting: `hello, ${name}!` });
});
