"""An LSTM tags the words of sentences: determiner, noun, verb or adjective."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

from start import begin

SENTENCES = [
    ("the dog ate the apple", "D N V D N"),
    ("everybody read that book", "N V D N"),
    ("the old man saw a red boat", "D A N V D A N"),
    ("a boat sank", "D N V"),
    ("that man ate a green apple", "D N V D A N"),
    ("the red dog saw everybody", "D A N V N"),
]
words = sorted({word for text, _ in SENTENCES for word in text.split()})
word_to_ix = {word: i for i, word in enumerate(words)}
tag_to_ix = {"D": 0, "N": 1, "V": 2, "A": 3}


def prepare_sequence(seq, to_ix):
    return torch.tensor([to_ix[w] for w in seq.split()], dtype=torch.long)


class LSTMTagger(nn.Module):
    def __init__(self, embedding_dim, hidden_dim, vocab_size, tagset_size):
        super().__init__()
        self.word_embeddings = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim, bidirectional=True)
        self.hidden2tag = nn.Linear(2 * hidden_dim, tagset_size)

    def forward(self, sentence):
        embeds = self.word_embeddings(sentence)
        lstm_out, _ = self.lstm(embeds.view(len(sentence), 1, -1))  # (T, 1, 2 H)
        tag_space = self.hidden2tag(lstm_out.view(len(sentence), -1))
        return F.log_softmax(tag_space, dim=1)


torch.manual_seed(1)
model = LSTMTagger(8, 8, len(words), len(tag_to_ix))
begin(model)
loss_function = nn.NLLLoss()
optimizer = optim.SGD(model.parameters(), lr=0.2)

for step in range(151):
    sentence, tags = SENTENCES[step % len(SENTENCES)]
    model.zero_grad()
    scores = model(prepare_sequence(sentence, word_to_ix))
    loss = loss_function(scores, prepare_sequence(tags, tag_to_ix))
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")

with torch.no_grad():
    found = model(prepare_sequence("the green boat saw the dog", word_to_ix)).argmax(1)
print("the green boat saw the dog:", " ".join("DNVA"[i] for i in found))
