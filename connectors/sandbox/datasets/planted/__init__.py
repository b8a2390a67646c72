"""Books of any size with everything that public data lacks, and with the truth about what comes after today.

The world behind a book is told from the practice of selling to companies, not from any score:

- **Demand.** A company has work for us at a rate that differs widely from company to company (gamma), grows with its
  head count by less than proportion, and has a season that its industry shares; some industries have more use for
  us than others. Its own business grows or shrinks, some industries boom;
  about half of that reaches us as more orders, half as larger ones. A new champion inside sometimes opens a company
  where we had a small share of what it spends: demand climbs for eighteen months and then stays where it is, so
  that last year's leap says little about next year's (regression to the mean). Each year about one relation in nine
  ends, and nobody writes that down. Some companies have a contract and renew it every year.
- **Deals.** One in five follows soon on the deal before it. A deal is won by fit (company, industry and product), by
  the rep's skill and by how engaged the buyer is; the larger, the slower; lost ones drag, and some are never closed.
  Renewals are mostly won.
- **What the CRM shows** is made afterwards, by people: amounts are round guesses until a quote is made; close dates
  are hopes that are moved when they pass, or forgotten, and come true only late in a deal; stages lag; calls,
  e-mails and meetings peter out on deals that are lost; pains and needs are filled in for some deals, sometimes
  out of hope; margins stand on a third of the deals, items with their cost on most of those that were quoted.
- **Promises.** One company in six calls off an order each quarter, and writes a growth plan with its rep each year. How
  far a company's word counts is its own trait: the believable mean it, order more in that year (as far as there is
  room), and write down a little less than they mean; the others write what sounds well, and nothing comes of it.
  A plan is kept if nine tenths of it were really won in the year before it fell due, which takes luck, too.
- **Cases.** Customers ask for service the more they own. An urgent one holds the account's decisions up for about
  a month; a request for more comes before orders.
- **Reps** differ in skill, care and load; some have left and still own accounts; a few accounts lie outside
  their rep's territory. Some companies are partners or competitors, or do not want to be sold to.

Everything is a column of numpy: no loop over rows. The same seed makes the same book.
"""

from __future__ import annotations

from connectors.sandbox.datasets.planted.days import YEAR, dates, stamps
from connectors.sandbox.datasets.planted.deals import CATALOGUE
from connectors.sandbox.datasets.planted.making import planted

__all__ = ["CATALOGUE", "YEAR", "dates", "planted", "stamps"]
