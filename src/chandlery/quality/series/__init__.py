"""Rules over a published series: what one batch cannot know, because it needs history, actions or a second witness.

One file a family, each with `RULES`; the registry walks them. A rule detects by vector operations over the whole
view and argues (votes, evidence) only over the few bars it found.
"""
