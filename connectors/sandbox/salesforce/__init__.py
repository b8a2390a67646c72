"""The sandbox's Salesforce side: the state and rules of one org, and the wire protocol in front of it."""
