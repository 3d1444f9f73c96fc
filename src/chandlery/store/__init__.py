"""The warehouse: every connection, every statement we own, the embedded server and the migrations.

What belongs here: SQL of `raw`, `ops` and `research`, bulk writes (COPY) and reads (ADBC), the API's readers.
What does not: what the tables mean (`dbt_project/` builds staging to serving) and when things run. Rows and
connections never leave this room. Rooms above may import it; pure rooms may not.
"""
