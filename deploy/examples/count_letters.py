"""A warm task in Python: counts the letters of each word of its input."""
import vigil_task

# What takes long to load is loaded here, once.


def count_letters(job):
    words = job.text.split()
    if not words:
        raise vigil_task.InvalidInput("no words")
    for done, word in enumerate(words, 1):
        job.token(f"{word}: {len(word)}\n")
        job.progress(done, len(words))
    return f"{len(words)} words"


vigil_task.serve(count_letters)
